// Two instances with data folders of their own, and one store of configurations that both see.
#include "bin/analysis/alert_shared_log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <fstream>
#include <mutex>

#include "base/disk.h"
#include "base/testing/temporary_folder.h"
#include "config/file/file_store.h"
#include "config/keys.h"
#include "notify/notifier.h"

namespace monitor {
namespace {

using notify::Notifier;
using notify::Outcome;
using rules::Alert;
using rules::AlertState;

Alert alert(const std::string& name, int64_t fired, int64_t resolved = 0) {
  Alert one;
  one.labels = query::Labels({{"alertname", name}});
  one.annotations = {{"summary", "about " + name}};
  one.state = resolved == 0 ? AlertState::kFiring : AlertState::kResolved;
  one.active_at_ms = one.fired_at_ms = fired;
  one.resolved_at_ms = resolved;
  one.group = "f;g";
  return one;
}

// What a receiver has accepted, from all instances. While it is down, it accepts nothing.
class Inbox {
 public:
  Outcome take(const notify::Notification& one) {
    const std::lock_guard lock(mutex_);
    changed_.notify_all();
    ++attempts_;
    if (down_) return {Outcome::Kind::kRetry, "down"};
    std::string text;
    for (const Alert& told : one.alerts) {
      text += (told.state == AlertState::kFiring ? "+" : "-") + std::string(told.labels.get("alertname"));
    }
    got_.emplace_back(one.id, text);
    return {Outcome::Kind::kSent, "ok"};
  }
  void set_down(bool down) {
    const std::lock_guard lock(mutex_);
    down_ = down;
  }
  bool wait_for(const std::string& text) {
    return wait([&] { return std::ranges::find(got_, text, &Told::second) != got_.end(); });
  }
  bool wait_for_attempt() {
    return wait([&] { return attempts_ > 0; });
  }
  // A condition that is not about the inbox; shine() says that it may be true now.
  template <typename F>
  bool wait_until(F&& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      std::unique_lock lock(mutex_);
      if (!changed_.wait_until(lock, end, [this] { return shone_; }) || std::chrono::steady_clock::now() > end)
        return false;
      shone_ = false;
    }
    return true;
  }
  void shine() {
    const std::lock_guard lock(mutex_);
    shone_ = true;
    changed_.notify_all();
  }
  std::vector<std::string> texts() {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> result;
    result.reserve(got_.size());
    for (const Told& one : got_) result.push_back(one.second);
    return result;
  }

 private:
  using Told = std::pair<std::string, std::string>;  // id and alerts
  template <typename F>
  bool wait(F&& condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), condition);
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Told> got_;
  int attempts_ = 0;
  bool down_ = false;
  bool shone_ = false;
};

class InboxSender final : public notify::Sender {
 public:
  explicit InboxSender(Inbox& inbox) : inbox_(inbox) {}
  Outcome send(const notify::Notification& one, const std::atomic<bool>&) override { return inbox_.take(one); }

 private:
  Inbox& inbox_;
};

struct Instance {
  TemporaryFolder folder;
  SystemClock clock;
  telemetry::Registry registry;
  PosixDisk disk;
  std::unique_ptr<Notifier> notifier;
  std::atomic<bool> works = false;  // has read the shared log, and begun

  void start(Inbox& inbox, const std::string& shared) {
    works = false;
    std::ofstream(folder.path() + "/notify.yml")
        << "route: {receiver: r, group_by: [alertname], group_wait: 0s, group_interval: 10ms}\n"
        << "receivers: [{name: r, webhook_configs: [{url: 'http://x'}]}]\n";
    notify::NotifierOptions options;
    options.config_path = folder.path() + "/notify.yml";
    options.store_path = folder.path() + "/alerts.db";
    options.look_ms = 20;
    options.limits.backoff_ms = options.limits.backoff_cap_ms = 20;
    options.make = [&inbox](const notify::Integration&) { return std::make_unique<InboxSender>(inbox); };
    options.at_step = [this, &inbox](std::string_view step) {
      if (step == "looked") works = true;
      inbox.shine();
    };
    options.shared = std::make_shared<StoreSharedLog>([this, shared]() -> Result<std::unique_ptr<config::ConfigStore>> {
      return std::unique_ptr<config::ConfigStore>(std::make_unique<config::FileStore>(disk, shared));
    });
    auto started = Notifier::start(options, clock, registry);
    ASSERT_TRUE(started) << started.error().message();
    notifier = std::move(*started);
  }
  void say(const std::vector<Alert>& alerts) { notifier->update_group("f;g", alerts, now()); }
  int64_t now() const { return clock.wall_ns() / kNanosPerMilli; }
};

struct SharedLogTest : testing::Test {
  TemporaryFolder shared;
  Inbox inbox;
  Instance a, b;
};

TEST_F(SharedLogTest, TheNextInstanceTellsNothingTwiceAndTheEnds) {
  const int64_t start = a.now();
  a.start(inbox, shared.path());
  a.say({alert("A", start), alert("B", start), alert("C", start)});
  for (const char* const text : {"+A", "+B", "+C"}) ASSERT_TRUE(inbox.wait_for(text));
  a.notifier.reset();
  // The other one has never seen these alerts. Of B and C, its rules say nothing any more.
  b.start(inbox, shared.path());
  b.say({alert("A", start), alert("B", start, start + 5)});
  ASSERT_TRUE(inbox.wait_for("-B"));
  ASSERT_TRUE(inbox.wait_for("-C"));
  b.notifier.reset();
  // Back to the first one, whose own file says that all three are firing.
  a.start(inbox, shared.path());
  a.say({alert("A", start, start + 9), alert("D", start + 8)});
  ASSERT_TRUE(inbox.wait_for("-A"));
  ASSERT_TRUE(inbox.wait_for("+D"));
  auto texts = inbox.texts();
  std::ranges::sort(texts);
  EXPECT_EQ(texts, (std::vector<std::string>{"+A", "+B", "+C", "+D", "-A", "-B", "-C"}));
}

TEST_F(SharedLogTest, TheNextInstanceSendsWhatWasNotSent) {
  inbox.set_down(true);
  const int64_t start = a.now();
  a.start(inbox, shared.path());
  a.say({alert("A", start)});
  ASSERT_TRUE(inbox.wait_for_attempt());
  a.notifier.reset();
  inbox.set_down(false);
  b.start(inbox, shared.path());
  ASSERT_TRUE(inbox.wait_for("+A"));
  b.notifier.reset();
  // The first one has it in its file as unsent.
  a.start(inbox, shared.path());
  a.say({alert("A", start), alert("B", start)});
  ASSERT_TRUE(inbox.wait_for("+B"));
  EXPECT_EQ(inbox.texts(), (std::vector<std::string>{"+A", "+B"}));
}

TEST_F(SharedLogTest, OfTwoThatNotifyOneNoticesBeforeItSends) {
  const int64_t start = a.now();
  a.start(inbox, shared.path());
  b.start(inbox, shared.path());
  ASSERT_TRUE(inbox.wait_until([&] { return a.works && b.works; }));
  a.say({alert("A", start)});
  ASSERT_TRUE(inbox.wait_for("+A"));
  b.say({alert("A", start)});
  ASSERT_TRUE(inbox.wait_until([&] { return !b.notifier->replaced().empty(); }));
  EXPECT_NE(b.notifier->replaced().find("another instance has written"), std::string::npos);
  EXPECT_EQ(inbox.texts(), std::vector<std::string>{"+A"});
}

TEST_F(SharedLogTest, ADamagedDocumentIsWrittenAnew) {
  PosixDisk disk;
  config::FileStore store(disk, shared.path());
  for (size_t i = 0; i < StoreSharedLog::kDocuments; ++i) {
    ASSERT_TRUE(store.update(config::notification_log_key(i), [](const auto&) -> Result<std::optional<std::string>> {
      return std::optional<std::string>("[{}]");
    }));
  }
  a.start(inbox, shared.path());
  a.say({alert("A", a.now())});
  EXPECT_TRUE(inbox.wait_for("+A"));
  EXPECT_EQ(a.notifier->replaced(), "");
}

TEST(SharedEntriesTest, AreBoundedAndReadBack) {
  notify::SharedEntries entries;
  for (int i = 0; i < 100; ++i) {
    const notify::LogKey key{"group" + std::to_string(i), "r", "webhook"};
    notify::SharedEntry entry;
    entry.entry = {"id" + std::to_string(i), 1'700'000'000'000 + i, {1, 2}, {3}};
    entry.last.id = entry.entry.id;
    entry.last.receiver = key.receiver;
    entry.last.integration = key.integration;
    entry.last.group_key = key.group_key;
    entry.last.alerts = {alert("A", 1'700'000'000'000)};
    entry.finished = i % 2 == 0;
    entries.emplace(key, entry);
  }
  const auto text = notify::encode_entries(entries, 1 << 20);
  ASSERT_TRUE(text);
  auto read = notify::decode_entries(*text);
  ASSERT_TRUE(read) << read.error().message();
  ASSERT_EQ(read->size(), 100U);
  for (auto& [key, entry] : entries) {
    if (entry.finished) entry.last.alerts[0].annotations.clear();
    EXPECT_EQ(read->at(key), entry);
  }
  const auto small = notify::encode_entries(entries, text->size() - 100);
  ASSERT_TRUE(small);
  EXPECT_TRUE(notify::decode_entries(*small)->at({"group0", "r", "webhook"}).last.alerts.empty());
  EXPECT_EQ(notify::decode_entries(*small)->at({"group1", "r", "webhook"}).last.alerts.size(), 1U);
  EXPECT_EQ(notify::encode_entries(entries, 100).error().code(), Code::kResourceExhausted);
  EXPECT_EQ(notify::decode_entries("[{}]").error().code(), Code::kDataLoss);
}

}  // namespace
}  // namespace monitor
