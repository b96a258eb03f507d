// The runner: files come and go while it runs, a kill keeps everything, and one of two instances notifies.
#include "rules/runner.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>

#include "base/testing/temporary_folder.h"
#include "query/testing/memory_source.h"

namespace monitor::rules {
namespace {

constexpr int64_t kT0 = 1'700'000'100'000;
constexpr auto kPatience = std::chrono::seconds(20);

class WaitingSink final : public AlertSink {
 public:
  void update(std::span<const Alert> alerts, int64_t evaluated_at_ms) override {
    {
      const std::lock_guard lock(mutex_);
      ++updates_;
      evaluated_ms_ = evaluated_at_ms;
      for (const Alert& one : alerts) last_[std::string(one.labels.get("alertname"))] = one;
    }
    changed_.notify_all();
  }
  bool waits_for(const std::string& alert, AlertState state) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return last_.contains(alert) && last_[alert].state == state; });
  }
  void update_groups(const std::set<std::string>& groups, int64_t /*evaluated_at_ms*/) override {
    {
      const std::lock_guard lock(mutex_);
      groups_ = groups;
    }
    changed_.notify_all();
  }
  bool waits_for_groups(const std::set<std::string>& groups) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return groups_ == groups; });
  }
  bool knows_groups() {
    const std::lock_guard lock(mutex_);
    return groups_.has_value();
  }
  bool waits_for_evaluation(int64_t at_ms) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return evaluated_ms_ >= at_ms; });
  }
  size_t updates() {
    const std::lock_guard lock(mutex_);
    return updates_;
  }
  Alert last(const std::string& alert) {
    const std::lock_guard lock(mutex_);
    return last_[alert];
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Alert> last_;
  std::optional<std::set<std::string>> groups_;
  size_t updates_ = 0;
  int64_t evaluated_ms_ = 0;
};

// The data, which tests add to while the runner reads it.
class SharedSource final : public query::SeriesSource {
 public:
  explicit SharedSource(query::MemorySource& data, std::mutex& mutex) : data_(data), mutex_(mutex) {}
  Result<std::vector<query::StoredSeries>> select(std::span<const query::Matcher> matchers, int64_t from_ms,
                                                  int64_t to_ms) override {
    const std::lock_guard lock(mutex_);
    return data_.select(matchers, from_ms, to_ms);
  }

 private:
  query::MemorySource& data_;
  std::mutex& mutex_;
};

std::string rule(const std::string& alert, const std::string& more = "") {
  return "groups:\n- name: g\n  interval: 1s\n  rules:\n  - alert: " + alert + "\n    expr: m > 10\n" + more;
}

class RuleRunnerTest : public testing::Test {
 protected:
  ~RuleRunnerTest() override { runner_.reset(); }
  void write(const std::string& text) const {
    std::ofstream(root_ / "new") << text;
    std::filesystem::rename(root_ / "new", root_ / "rules.yml");
  }
  std::string path() const { return root_ / "rules.yml"; }
  Status open(bool with_paths = true) {
    runner_.reset();
    RunnerOptions options;
    options.store.path = root_ / "state.db";
    if (with_paths) options.paths = {path()};
    options.open_data = [this]() -> Result<std::unique_ptr<query::SeriesSource>> {
      return std::unique_ptr<query::SeriesSource>(std::make_unique<SharedSource>(data_, mutex_));
    };
    options.may_notify = [this] { return may_notify_.load(); };
    options.complete = [this] { return complete_.load(); };
    options.turn_ns = 5 * kNanosPerMilli;
    options.look_ns = 5 * kNanosPerMilli;
    auto opened = RuleRunner::open(options, clock_, disk_, registry_);
    if (!opened) return opened.error();
    runner_ = std::move(*opened);
    runner_->set_sink(&sink_);
    return {};
  }
  void start() {
    ASSERT_TRUE(open());
    runner_->start();
  }
  void point(int64_t at_ms, double value) {
    const std::lock_guard lock(mutex_);
    data_.add(query::Labels({{"__name__", "m"}, {"agent", "a"}}), {at_ms, value});
  }
  void progress(int64_t to_ms) { runner_->take_progress({.watermark_ms = to_ms, .now_ms = to_ms}); }
  // Waits until the runner shows what is asked for.
  template <typename Condition>
  bool comes(Condition condition) {
    const SystemClock clock;
    const int64_t end = clock.mono_ns() + 20 * kNanosPerSecond;
    while (clock.mono_ns() < end) {
      if (condition()) return true;
      usleep(2'000);
    }
    return false;
  }
  std::string first_rule() {
    const auto groups = runner_->groups();
    return groups.empty() || groups[0].rules.empty() ? "" : groups[0].rules[0].name;
  }

  const TemporaryFolder folder_;
  const std::filesystem::path root_ = folder_.path();
  SystemClock clock_;
  PosixDisk disk_;
  telemetry::Registry registry_;
  std::mutex mutex_;
  query::MemorySource data_;
  WaitingSink sink_;
  std::atomic<bool> may_notify_ = true;
  std::atomic<bool> complete_ = true;
  std::unique_ptr<RuleRunner> runner_;
};

TEST_F(RuleRunnerTest, EvaluatesAsTheDataComesAndTellsTheSink) {
  write(rule("A"));
  start();
  point(kT0, 11);
  progress(kT0 + 1'000);
  ASSERT_TRUE(sink_.waits_for("A", AlertState::kFiring));
  point(kT0 + 2'000, 1);
  progress(kT0 + 4'000);
  ASSERT_TRUE(sink_.waits_for("A", AlertState::kResolved));
}

TEST_F(RuleRunnerTest, ABadReloadKeepsTheRulesAndSaysWhy) {
  write(rule("A"));
  start();
  EXPECT_EQ(first_rule(), "A");
  write("groups: [{name: g, rules: [{alert: B, expr: 'm >'}]}]\n");
  ASSERT_TRUE(comes([&] { return !runner_->troubles().empty(); }));
  EXPECT_NE(runner_->troubles()[0].find("rules.yml:1:"), std::string::npos) << runner_->troubles()[0];
  EXPECT_EQ(first_rule(), "A");
  EXPECT_NE(runner_->groups()[0].rules[0].error.find("not in force"), std::string::npos);
  point(kT0, 11);
  progress(kT0 + 1'000);
  ASSERT_TRUE(sink_.waits_for("A", AlertState::kFiring)) << "the previous rules are evaluated";
  write(rule("B"));
  ASSERT_TRUE(comes([&] { return first_rule() == "B"; }));
  EXPECT_TRUE(runner_->troubles().empty());
  ASSERT_TRUE(sink_.waits_for("A", AlertState::kResolved)) << "its rule is gone";
}

TEST_F(RuleRunnerTest, AFileWithFaultsThatWasNeverInForceEndsTheStart) {
  write("groups: 3\n");
  const Status opened = open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), Code::kInvalidArgument);
  EXPECT_NE(opened.error().message().find("rules.yml:1:9:"), std::string::npos) << opened.error().message();
}

TEST_F(RuleRunnerTest, AProcessThatStartsContinuesWithTheStateAndTheRulesInForce) {
  write(rule("A", "    for: 10s\n"));
  start();
  point(kT0, 11);
  progress(kT0 + 1'000);
  ASSERT_TRUE(sink_.waits_for("A", AlertState::kPending));
  const int64_t since = sink_.last("A").active_at_ms;
  const std::string other = "groups: [{name: x, interval: 1s, rules: [{alert: X, expr: m > 10}]}]";
  runner_->take_texts("etcd", {{"etcd:x", other}});
  ASSERT_TRUE(comes([&] { return runner_->groups().size() == 2; }));
  progress(kT0 + 2'000);
  ASSERT_TRUE(sink_.waits_for("X", AlertState::kFiring));
  // The file has been damaged in the meantime, and etcd does not answer.
  write("groups: 3\n");
  ASSERT_TRUE(open());
  runner_->start();
  EXPECT_EQ(runner_->groups().size(), 2U);
  EXPECT_FALSE(runner_->troubles().empty());
  point(kT0 + 14'000, 11);
  progress(kT0 + 14'000);
  ASSERT_TRUE(sink_.waits_for("A", AlertState::kFiring));
  EXPECT_EQ(sink_.last("A").active_at_ms, since) << "the time before the restart counts";
  runner_->take_texts("etcd", {});
  ASSERT_TRUE(sink_.waits_for("X", AlertState::kResolved));
}

TEST_F(RuleRunnerTest, OnlyTheInstanceThatMayNotifyTellsAndItBeginsWithEverything) {
  may_notify_ = false;
  write(rule("A"));
  start();
  point(kT0, 11);
  progress(kT0 + 1'000);
  ASSERT_TRUE(comes([&] { return !runner_->groups()[0].rules[0].alerts.empty(); })) << "it evaluates";
  EXPECT_EQ(sink_.updates(), 0U);
  EXPECT_FALSE(runner_->notifies());
  may_notify_ = true;
  ASSERT_TRUE(sink_.waits_for("A", AlertState::kFiring)) << "although nothing was evaluated since";
  EXPECT_TRUE(runner_->notifies());
  may_notify_ = false;
  ASSERT_TRUE(comes([&] { return !runner_->notifies(); }));
  const size_t before = sink_.updates();
  progress(kT0 + 5'000);
  ASSERT_TRUE(comes([&] { return runner_->groups()[0].evaluated_at_ms > kT0 + 3'000; }));
  EXPECT_EQ(sink_.updates(), before);
}

TEST_F(RuleRunnerTest, WithoutRulesItHasNoState) {
  ASSERT_TRUE(open(false));
  runner_->start();
  progress(kT0);
  EXPECT_TRUE(runner_->groups().empty());
  runner_->stop();
  EXPECT_FALSE(std::filesystem::exists(root_ / "state.db"));
}

TEST_F(RuleRunnerTest, RulesThatAreNotNamedAnyMoreEnd) {
  write(rule("A"));
  start();
  point(kT0, 11);
  progress(kT0 + 1'000);
  ASSERT_TRUE(sink_.waits_for("A", AlertState::kFiring));
  ASSERT_TRUE(sink_.waits_for_groups({path() + ";g"}));
  ASSERT_TRUE(open(false));
  runner_->start();
  ASSERT_TRUE(comes([&] { return runner_->groups().empty(); }));
  EXPECT_TRUE(sink_.waits_for_groups({})) << "also without data, whose time nobody follows";
}

TEST_F(RuleRunnerTest, WhichGroupsThereAreIsToldWhenAllOriginsHaveDelivered) {
  complete_ = false;
  write(rule("A"));
  start();
  point(kT0, 11);
  progress(kT0 + 1'000);
  ASSERT_TRUE(sink_.waits_for("A", AlertState::kFiring));
  const std::string other = "groups: [{name: x, interval: 1s, rules: [{alert: X, expr: m > 10}]}]";
  runner_->take_texts("etcd", {{"etcd:x", other}});
  progress(kT0 + 3'000);
  ASSERT_TRUE(sink_.waits_for("X", AlertState::kFiring));
  EXPECT_FALSE(sink_.knows_groups()) << "etcd may have more";
  complete_ = true;
  EXPECT_TRUE(sink_.waits_for_groups({path() + ";g", "etcd:x;x"}));
}

}  // namespace
}  // namespace monitor::rules
