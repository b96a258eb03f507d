// Mounts that hang, are slow, or recover, and many of them at once.
#include "inputs/proc/mount_prober.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "base/testing/fake_clock.h"

namespace monitor::agent {
namespace {

constexpr int64_t kDeadline = 100 * kNanosPerMilli;

// Filesystems that hang on request. Outlives the prober, because hung threads remain.
class Filesystems {
 public:
  Result<MountFacts> probe(const Mount& mount) {
    std::unique_lock lock(mutex_);
    ++asked_[mount.mount_point];
    ++inside_;
    most_inside_ = std::max(most_inside_, inside_);
    changed_.notify_all();
    changed_.wait(lock, [&] { return !hanging_.contains(mount.mount_point); });
    --inside_;
    changed_.notify_all();
    return MountFacts{4096, ++answers_, 0, 0};
  }
  void hang(const std::string& point) {
    const std::lock_guard lock(mutex_);
    hanging_.insert(point);
  }
  // Returns once the threads that hung have received their answers.
  void answer_all() {
    std::unique_lock lock(mutex_);
    hanging_.clear();
    changed_.notify_all();
    changed_.wait(lock, [&] { return inside_ == 0; });
  }
  int asked(const std::string& point) {
    const std::lock_guard lock(mutex_);
    return asked_[point];
  }
  int most_inside() {
    const std::lock_guard lock(mutex_);
    return most_inside_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::string> hanging_;
  std::map<std::string, int> asked_;
  int inside_ = 0;
  int most_inside_ = 0;
  uint64_t answers_ = 0;
};

class ProberTest : public ::testing::Test {
 protected:
  ProberTest()
      : filesystems_(std::make_shared<Filesystems>()),
        prober_(clock_, [fs = filesystems_](const Mount& mount, const MountOrigin&) { return fs->probe(mount); }) {}
  ~ProberTest() override { filesystems_->answer_all(); }

  void add(const std::string& point, bool remote) {
    mounts_.push_back({mounts_.size(), 0, "8:1", "/", point, "ext4", "/dev/sda1", "rw"});
    remote_.push_back(remote);
  }
  std::vector<MountProber::Answer> ask() {
    std::vector<MountProber::Question> questions;
    for (size_t i = 0; i < mounts_.size(); ++i) questions.push_back({&mounts_[i], remote_[i]});
    return prober_.ask(questions, {}, kDeadline);
  }

  FakeClock clock_;
  std::shared_ptr<Filesystems> filesystems_;
  MountProber prober_;
  std::vector<Mount> mounts_;
  std::vector<bool> remote_;
};

TEST_F(ProberTest, AnswersEveryQuestionInOrder) {
  for (int i = 0; i < 50; ++i) add("/" + std::to_string(i), i % 2 == 0);
  for (int tick = 0; tick < 3; ++tick) {
    const auto answers = ask();
    ASSERT_EQ(answers.size(), 50U);
    for (const auto& answer : answers) EXPECT_TRUE(answer && *answer);
  }
  EXPECT_TRUE(prober_.stuck().empty());
}

TEST_F(ProberTest, HungMountDelaysNoOther) {
  add("/hung", false);
  add("/disk", false);
  filesystems_->hang("/hung");
  auto answers = ask();
  EXPECT_FALSE(answers[0]);
  ASSERT_TRUE(answers[1]);
  const auto first = **answers[1];
  answers = ask();
  EXPECT_FALSE(answers[0]);
  ASSERT_TRUE(answers[1]);
  EXPECT_GT((**answers[1]).blocks, first.blocks) << "a value of this tick, not of the previous one";
  EXPECT_EQ(filesystems_->asked("/hung"), 1) << "it must not be queried again while it hangs";
}

TEST_F(ProberTest, DoesNotWaitForAKnownHungMount) {
  add("/hung", false);
  filesystems_->hang("/hung");
  while (prober_.stuck().empty()) ask();
  const auto before = std::chrono::steady_clock::now();
  for (int tick = 0; tick < 10; ++tick) ask();
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(10 * 50));
}

TEST_F(ProberTest, ReportsAHungMountUntilItAnswers) {
  add("/hung", true);
  clock_.advance(5 * kNanosPerSecond);
  const int64_t asked = clock_.wall_ns();
  filesystems_->hang("/hung");
  ask();
  EXPECT_TRUE(prober_.stuck().empty()) << "a late mount is not stuck";
  while (prober_.stuck().empty()) {
    std::this_thread::yield();
    ask();
  }
  EXPECT_EQ(prober_.stuck(), (std::vector<StuckMount>{{"/hung", "ext4", "/dev/sda1", asked}}));
  filesystems_->answer_all();
  while (!ask()[0]) std::this_thread::yield();
  ask();
  EXPECT_TRUE(prober_.stuck().empty());
  EXPECT_TRUE(ask()[0]);
}

TEST_F(ProberTest, BoundsThreadsHoweverManyMountsHang) {
  for (int i = 0; i < 40; ++i) {
    add("/r" + std::to_string(i), true);
    filesystems_->hang("/r" + std::to_string(i));
  }
  add("/disk", false);
  for (int tick = 0; tick < 5; ++tick) {
    const auto answers = ask();
    EXPECT_TRUE(answers.back()) << "disks have their own threads";
    EXPECT_FALSE(answers.front());
  }
  EXPECT_LE(filesystems_->most_inside(), MountProber::kMostThreads + 1);
  filesystems_->answer_all();
  while (!ask()[39]) std::this_thread::yield();
  const auto answers = ask();
  EXPECT_EQ(std::ranges::count_if(answers, [](const auto& answer) { return answer.has_value(); }), 41)
      << "mounts beyond the bound were queried later";
}

TEST_F(ProberTest, QueriesAReplacedMountAgain) {
  add("/m", true);
  filesystems_->hang("/m");
  EXPECT_FALSE(ask()[0]);
  mounts_[0].id = 77;
  mounts_[0].source = "/dev/sdb1";
  EXPECT_FALSE(ask()[0]);
  EXPECT_EQ(filesystems_->asked("/m"), 2);
}

TEST_F(ProberTest, PatienceOutlastsTheDeadline) {
  add("/slow", false);
  filesystems_->hang("/slow");
  std::thread later([this] {
    while (filesystems_->asked("/slow") == 0) std::this_thread::yield();
    filesystems_->answer_all();
  });
  prober_.set_patience(60 * kNanosPerSecond);
  EXPECT_TRUE(prober_.ask({{mounts_.data(), false}}, {}, 1)[0]);
  later.join();
}

TEST_F(ProberTest, CanBeDestroyedWhileAMountHangs) {
  add("/hung", false);
  filesystems_->hang("/hung");
  {
    MountProber other(clock_, [fs = filesystems_](const Mount& mount, const MountOrigin&) { return fs->probe(mount); });
    EXPECT_FALSE(other.ask({{mounts_.data(), false}}, {}, kNanosPerMilli)[0]);
  }
  SUCCEED() << "the hung thread remains";
}

}  // namespace
}  // namespace monitor::agent
