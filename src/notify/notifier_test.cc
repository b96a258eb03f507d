#include "notify/notifier.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <fstream>
#include <map>
#include <mutex>
#include <set>

#include "base/testing/fake_clock.h"
#include "base/testing/temporary_folder.h"

namespace monitor::notify {
namespace {

using query::Labels;
using rules::Alert;
using rules::AlertState;

Alert alert(const std::string& name, int64_t fired, int64_t resolved = 0) {
  Alert one;
  one.labels = Labels({{"alertname", name}});
  one.state = resolved == 0 ? AlertState::kFiring : AlertState::kResolved;
  one.active_at_ms = one.fired_at_ms = fired;
  one.resolved_at_ms = resolved;
  one.group = "f;g";
  return one;
}

// Wakes whoever waits for a condition, whenever something has happened that may have made it true.
class Beacon {
 public:
  void shine() {
    {
      const std::lock_guard lock(mutex_);
      ++count_;
    }
    changed_.notify_all();
  }

  template <typename F>
  bool wait(F&& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    std::unique_lock lock(mutex_);
    while (true) {
      const uint64_t seen = count_;
      lock.unlock();
      if (condition()) return true;
      lock.lock();
      if (!changed_.wait_until(lock, deadline, [&] { return count_ != seen; })) return false;
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t count_ = 0;
};

// Writes a line for each notification into a file, as a receiver that has accepted it.
class FileSender final : public Sender {
 public:
  FileSender(std::string path, std::function<void(std::string_view)> at_step)
      : path_(std::move(path)), at_step_(std::move(at_step)) {}
  Outcome send(const Notification& notification, const std::atomic<bool>&) override {
    at_step_("sending");
    std::string line = notification.id;
    for (const Alert& one : notification.alerts) {
      line += (one.state == AlertState::kFiring ? " +" : " -") + std::string(one.labels.get("alertname"));
    }
    line += "\n";
    const int fd = open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const bool written = write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size());
    close(fd);
    at_step_("sent");
    return {written ? Outcome::Kind::kSent : Outcome::Kind::kRetry, "written"};
  }

 private:
  const std::string path_;
  const std::function<void(std::string_view)> at_step_;
};

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

bool told(const std::string& path, const std::string& what) {
  for (const std::string& line : lines_of(path)) {
    if ((line + " ").find(" " + what + " ") != std::string::npos) return true;
  }
  return false;
}

struct NotifierTest : testing::Test {
  TemporaryFolder folder;
  SystemClock clock;
  telemetry::Registry registry;
  Beacon beacon;
  const std::string config = folder.path() + "/notify.yml";
  const std::string heard = folder.path() + "/heard";

  NotifierTest() { write_config("http://x"); }
  void write_config(const std::string& url) const {
    std::ofstream(config) << "route: {receiver: r, group_wait: 0s, group_interval: 10ms}\n"
                          << "receivers: [{name: r, webhook_configs: [{url: '" << url << "'}]}]\n";
  }
  NotifierOptions options(const std::function<void(std::string_view)>& each = {}) {
    NotifierOptions result;
    result.config_path = config;
    result.store_path = folder.path() + "/alerts.db";
    result.look_ms = 20;
    const auto at_step = [this, each](std::string_view step) {
      if (each) each(step);
      beacon.shine();
    };
    result.at_step = at_step;
    result.make = [this, at_step](const Integration&) { return std::make_unique<FileSender>(heard, at_step); };
    return result;
  }
  template <typename F>
  bool wait_for(F&& condition) {
    return beacon.wait(std::forward<F>(condition));
  }
  int64_t now() const { return clock.wall_ns() / kNanosPerMilli; }
};

TEST_F(NotifierTest, TellsStoresAndRemembers) {
  const int64_t start = now();
  {
    auto notifier = Notifier::start(options(), clock, registry);
    ASSERT_TRUE(notifier) << notifier.error().message();
    (*notifier)->update(std::vector{alert("A", start)}, start);
    ASSERT_TRUE(wait_for([&] { return told(heard, "+A"); }));
    EXPECT_EQ(Notifier::start(options(), clock, registry).error().code(), Code::kAborted);
  }
  auto notifier = Notifier::start(options(), clock, registry);
  ASSERT_TRUE(notifier);
  (*notifier)->update(std::vector{alert("A", start)}, start + 1);
  (*notifier)->update(std::vector{alert("A", start, start + 2)}, start + 2);
  ASSERT_TRUE(wait_for([&] { return told(heard, "-A"); }));
  notifier->reset();
  EXPECT_EQ(lines_of(heard).size(), 2U);
  const auto store = AlertStore::open(folder.path() + "/alerts.db", AlertStore::Open::kExisting, clock);
  ASSERT_TRUE(store);
  const auto deliveries = (*store)->deliveries(0, 10);
  ASSERT_EQ(deliveries->size(), 2U);
  EXPECT_EQ((*deliveries)[0].result, "sent");
  EXPECT_EQ((*deliveries)[0].answer, "written");
  const auto episodes = (*store)->episodes(0, 10);
  ASSERT_EQ(episodes->size(), 1U);
  EXPECT_EQ((*episodes)[0].alert.resolved_at_ms, start + 2);
}

// The rules' engine was down for longer than it passes resolved alerts: its group comes without the alert.
TEST_F(NotifierTest, EndsWhatItsGroupDoesNotHaveAnyMore) {
  auto notifier = Notifier::start(options(), clock, registry);
  ASSERT_TRUE(notifier);
  const int64_t start = now();
  (*notifier)->update(std::vector{alert("A", start), alert("B", start)}, start);
  ASSERT_TRUE(wait_for([&] { return told(heard, "+A") && told(heard, "+B"); }));
  (*notifier)->update_group("another", {}, start + 1);
  (*notifier)->update_group("f;g", std::vector{alert("A", start)}, start + 2);
  ASSERT_TRUE(wait_for([&] { return told(heard, "-B"); }));
  EXPECT_FALSE(told(heard, "-A"));
}

TEST_F(NotifierTest, KeepsAlertsWithoutAConfiguration) {
  auto with = options();
  with.config_path = "";
  const int64_t start = now();
  {
    auto notifier = Notifier::start(with, clock, registry);
    ASSERT_TRUE(notifier) << notifier.error().message();
    (*notifier)->update(std::vector{alert("A", start)}, start);
    (*notifier)->update(std::vector{alert("B", start)}, start);
    ASSERT_TRUE(wait_for(
        [&] { return registry.text().find("monitor_notify_alerts{state=\"firing\"} 2") != std::string::npos; }));
  }
  const auto store = AlertStore::open(folder.path() + "/alerts.db", AlertStore::Open::kExisting, clock);
  EXPECT_EQ((*store)->alerts()->size(), 2U);
  EXPECT_EQ((*store)->episodes(0, 10)->size(), 2U);
  EXPECT_TRUE((*store)->deliveries(0, 10)->empty());
}

TEST_F(NotifierTest, ReloadsWholeOrNotAtAll) {
  auto notifier = Notifier::start(options(), clock, registry);
  ASSERT_TRUE(notifier);
  std::ofstream(config) << "route: {receiver: nobody}\n";
  ASSERT_TRUE(wait_for([&] { return !(*notifier)->config_trouble().empty(); }));
  EXPECT_NE((*notifier)->config_trouble().find("notify.yml:1:"), std::string::npos);
  (*notifier)->update(std::vector{alert("A", now())}, now());
  EXPECT_TRUE(wait_for([&] { return told(heard, "+A"); }));  // by the old configuration
  write_config("http://y");
  EXPECT_TRUE(wait_for([&] { return (*notifier)->config_trouble().empty(); }));
  (*notifier)->update(std::vector{alert("B", now())}, now());
  EXPECT_TRUE(wait_for([&] { return told(heard, "+B"); }));
}

TEST_F(NotifierTest, HearsOfSilencesOfOtherProcesses) {
  auto notifier = Notifier::start(options(), clock, registry);
  ASSERT_TRUE(notifier);
  const auto store = AlertStore::open(folder.path() + "/alerts.db", AlertStore::Open::kExisting, clock);
  Silence silence;
  silence.matchers = *parse_matcher_list("alertname=A");
  silence.starts_ms = now();
  silence.ends_ms = now() + 60'000;
  silence.author = "ann";
  silence.reason = "test";
  const auto set = (*store)->set_silence(silence, {"ann", "command"});
  ASSERT_TRUE(set) << set.error().message();
  ASSERT_TRUE(wait_for([&] { return registry.text().find("monitor_notify_silences 1\n") != std::string::npos; }));
  (*notifier)->update(std::vector{alert("A", now()), alert("B", now())}, now());
  ASSERT_TRUE(wait_for([&] { return told(heard, "+B"); }));
  EXPECT_FALSE(told(heard, "+A"));
  ASSERT_TRUE((*store)->expire_silence(set->id, {"ann", "command"}));
  EXPECT_TRUE(wait_for([&] { return told(heard, "+A"); }));
}

TEST_F(NotifierTest, ADeadReceiverDelaysNobodyAndUpdatesNeverWait) {
  std::ofstream(config) << "route: {receiver: r, group_by: [alertname], group_wait: 0s, group_interval: 10ms}\n"
                        << "receivers: [{name: r, webhook_configs: [{url: 'http://dead'}, {url: 'http://x'}]}]\n";
  class Hanging final : public Sender {
   public:
    Outcome send(const Notification&, const std::atomic<bool>& stop) override {
      stop.wait(false);
      return {};
    }
  };
  auto with = options();
  const auto with_step = with.at_step;
  with.make = [this, with_step](const Integration& one) -> std::unique_ptr<Sender> {
    if (one.http.url == "http://dead") return std::make_unique<Hanging>();
    return std::make_unique<FileSender>(heard, with_step);
  };
  auto notifier = Notifier::start(with, clock, registry);
  ASSERT_TRUE(notifier);
  for (int i = 0; i < 20; ++i) {
    const std::string name = "A" + std::to_string(i);
    const int64_t before = clock.mono_ns();
    (*notifier)->update(std::vector{alert(name, now())}, now());
    EXPECT_LT(clock.mono_ns() - before, 500 * kNanosPerMilli);
    ASSERT_TRUE(wait_for([&] { return told(heard, "+" + name); }));
  }
  EXPECT_EQ((*notifier)->receivers()[0].waiting, 20U);
}

// A scenario in a process that kills itself at its n-th step: an alert fires, is told, ends, and that is told.
void live(NotifierTest& test, const NotifierOptions& options, int64_t start) {
  SystemClock clock;
  telemetry::Registry registry;
  auto notifier = Notifier::start(options, clock, registry);
  if (!notifier) _exit(3);
  const auto say = [&](const Alert& one) { (*notifier)->update(std::vector{one}, start + 1000); };
  if (!told(test.heard, "-A")) {
    say(alert("A", start));
    if (!test.wait_for([&] { return told(test.heard, "+A"); })) _exit(4);
  }
  say(alert("A", start, start + 500));
  if (!test.wait_for([&] { return told(test.heard, "-A"); })) _exit(5);
  notifier->reset();
  _exit(0);
}

TEST_F(NotifierTest, KilledAtEveryStepNothingIsLostAndRepeatsHaveTheSameId) {
  int repeated = 0;
  for (int kill_at = 1; kill_at <= 16; ++kill_at) {
    for (const char* const ending : {"", "-wal", "-shm", ".lock"})
      unlink((folder.path() + "/alerts.db" + ending).c_str());
    unlink(heard.c_str());
    const int64_t start = now();
    int kills = 0;
    for (int run = 0; run < 3; ++run) {
      const pid_t child = fork();
      if (child == 0) {
        std::atomic<int> count = 0;
        const bool deadly = run == 0;
        const auto die = [&, deadly](std::string_view step) {
          if (step != "looked" && ++count == kill_at && deadly) kill(getpid(), SIGKILL);
        };
        live(*this, options(die), start);
      }
      int status = 0;
      waitpid(child, &status, 0);
      if (WIFSIGNALED(status)) {
        ++kills;
        continue;
      }
      ASSERT_EQ(WEXITSTATUS(status), 0) << kill_at;
      break;
    }
    std::map<std::string, std::set<std::string>> by_id;
    std::map<std::string, int> times;
    for (const std::string& line : lines_of(heard)) {
      by_id[line.substr(0, 32)].insert(line.substr(33));
      ++times[line.substr(33)];
    }
    // Two events, each with an id of its own; a repeat says the same with the same id, and at most once for a kill.
    ASSERT_EQ(by_id.size(), 2U) << kill_at;
    for (const auto& [id, said] : by_id) EXPECT_EQ(said.size(), 1U) << kill_at;
    EXPECT_EQ(times.size(), 2U) << kill_at;
    EXPECT_GE(times["+A"], 1) << kill_at;
    EXPECT_GE(times["-A"], 1) << kill_at;
    EXPECT_LE(times["+A"] + times["-A"], 2 + kills) << kill_at;
    repeated += times["+A"] + times["-A"] - 2;
  }
  // Killed between "sent" and "recorded", both times.
  EXPECT_GE(repeated, 1);
  EXPECT_LE(repeated, 4);
}

TEST(StoreTest, RefusesWhatIsNotItsOwn) {
  const TemporaryFolder folder;
  const SystemClock clock;
  const std::string path = folder.path() + "/alerts.db";
  EXPECT_EQ(AlertStore::open(path, AlertStore::Open::kExisting, clock).error().code(), Code::kNotFound);
  std::ofstream(path) << std::string(5000, 'x');
  EXPECT_EQ(AlertStore::open(path, AlertStore::Open::kCreate, clock).error().code(), Code::kDataLoss);
}

TEST(StoreTest, SilencesAreCheckedAndRecorded) {
  const TemporaryFolder folder;
  FakeClock clock;
  auto store = AlertStore::open(folder.path() + "/alerts.db", AlertStore::Open::kCreate, clock);
  ASSERT_TRUE(store);
  const int64_t now = clock.wall_ns() / kNanosPerMilli;
  Silence silence;
  silence.matchers = *parse_matcher_list("agent=~\"web-.*\", mode!=x");
  silence.starts_ms = now;
  silence.ends_ms = now + 1000;
  silence.author = "ann";
  silence.reason = "maintenance \"x\"";
  auto made = (*store)->set_silence(silence, {"ann", "page"});
  ASSERT_TRUE(made);
  for (const auto& spoil : std::vector<std::function<void(Silence&)>>{
           [](Silence& s) { s.matchers.clear(); }, [](Silence& s) { s.matchers = *parse_matcher_list("a=~\".*\""); },
           [](Silence& s) { s.ends_ms = s.starts_ms; }, [](Silence& s) { s.reason = " "; },
           [](Silence& s) { s.author = ""; }, [](Silence& s) { s.reason = std::string(2000, 'x'); },
           [](Silence& s) { s.reason = "\xff"; }, [](Silence& s) { s.ends_ms += int64_t{400} * 86'400'000; },
           [](Silence& s) { s.id = "0000000000000000"; }}) {
    Silence bad = silence;
    spoil(bad);
    EXPECT_FALSE((*store)->set_silence(bad, {"ann", "page"}));
  }
  made->ends_ms += 5000;
  Silence large = silence;
  large.matchers = *parse_matcher_list("a=\"" + std::string(3000, 'x') + "\"");
  large.matchers.push_back(large.matchers.front());
  EXPECT_FALSE((*store)->set_silence(large, {"ann", "page"})) << "it could not be read again";
  ASSERT_TRUE((*store)->set_silence(*made, {"bob", "page"}));
  ASSERT_TRUE((*store)->expire_silence(made->id, {"bob", "page"}));
  EXPECT_EQ((*store)->expire_silence(made->id, {"bob", "page"}).error().code(), Code::kFailedPrecondition);
  EXPECT_EQ((*store)->set_silence(*made, {"bob", "page"}).error().code(), Code::kFailedPrecondition);
  EXPECT_EQ((*store)->expire_silence("x", {"bob", "page"}).error().code(), Code::kNotFound);
  const auto changes = (*store)->silence_changes(0);
  ASSERT_EQ(changes->size(), 3U);
  EXPECT_EQ((*changes)[1].event, "silence.changed");
  const auto kept = (*store)->silences();
  ASSERT_EQ(kept->size(), 1U);
  EXPECT_EQ(to_string((*kept)[0].matchers), R"({agent=~"web-.*", mode!="x"})");
  ASSERT_TRUE((*store)->prune(now + 10'000));
  EXPECT_TRUE((*store)->silences()->empty());
}

}  // namespace
}  // namespace monitor::notify
