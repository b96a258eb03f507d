// Two instances with files of their own, and one store that both see.
#include "bin/analysis/silence_exchange.h"

#include <gtest/gtest.h>

#include "base/disk.h"
#include "base/testing/fake_clock.h"
#include "base/testing/temporary_folder.h"
#include "config/file/file_store.h"
#include "config/keys.h"

namespace monitor {
namespace {

using notify::AlertStore;
using notify::Silence;

constexpr int64_t kHourMs = 3'600'000;

struct Instance {
  Instance(const std::string& store, std::string host, int64_t ahead_ms = 0) : shared(store) {
    clock.step_wall(ahead_ms * kNanosPerMilli);
    alerts = std::move(*AlertStore::open(folder.path() + "/alerts.db", AlertStore::Open::kCreate, clock));
    // Another connection, as the page's and those of commands.
    page = std::move(*AlertStore::open(folder.path() + "/alerts.db", AlertStore::Open::kExisting, clock));
    exchange = std::make_unique<SilenceExchange>(
        *alerts,
        [this]() -> Result<std::unique_ptr<config::ConfigStore>> {
          if (away) return Error(Code::kUnavailable, "away");
          return std::unique_ptr<config::ConfigStore>(std::make_unique<config::FileStore>(disk, shared));
        },
        std::move(host), clock);
  }
  std::map<std::string, std::string> documents() {
    std::map<std::string, std::string> all;
    config::FileStore store(disk, shared);
    const auto listed = store.list(std::string(config::kSilencesRoot));
    EXPECT_TRUE(listed);
    for (const auto& [key, stored] : *listed) all.emplace(config::name_of_key(key), stored.value);
    return all;
  }
  // What the watch brings, and what there is to say.
  void meet() {
    ASSERT_TRUE(exchange->take(documents()));
    ASSERT_TRUE(exchange->offer());
  }
  int64_t now() const { return clock.wall_ns() / kNanosPerMilli; }
  Silence set(const std::string& matcher, int64_t for_ms, std::string id = "", const std::string& reason = "x") {
    Silence silence;
    silence.id = std::move(id);
    silence.matchers = *notify::parse_matcher_list(matcher);
    silence.starts_ms = now();
    silence.ends_ms = now() + for_ms;
    silence.author = "ann";
    silence.reason = reason;
    auto made = page->set_silence(silence, {"ann", "command of ann"});
    EXPECT_TRUE(made) << made.error().message();
    return *made;
  }
  // "ID reason state"
  std::string only() {
    const auto all = page->silences();
    if (!all || all->size() != 1) return std::to_string(all ? all->size() : 0) + " silences";
    const Silence& one = all->front();
    return one.id + " " + one.reason + " " + std::string(to_string(one.state(now())));
  }

  const std::string shared;
  TemporaryFolder folder;
  FakeClock clock;
  PosixDisk disk;
  bool away = false;
  std::unique_ptr<AlertStore> alerts;
  std::unique_ptr<AlertStore> page;
  std::unique_ptr<SilenceExchange> exchange;
};

class SilenceExchangeTest : public testing::Test {
 protected:
  TemporaryFolder store_;
  Instance a_{store_.path(), "host-a"};
  Instance b_{store_.path(), "host-b", -5'000};  // its clock is behind
};

TEST_F(SilenceExchangeTest, BothKnowASilenceByTheSameId) {
  const Silence made = a_.set("agent=web-1", kHourMs);
  a_.meet();
  b_.meet();
  EXPECT_EQ(b_.only(), made.id + " x pending") << "by its own clock";
  const auto changes = b_.page->silence_changes(0);
  ASSERT_EQ(changes->size(), 1U);
  EXPECT_EQ((*changes)[0].event, "silence.created");
  EXPECT_EQ((*changes)[0].editor.who, "ann");
  EXPECT_EQ((*changes)[0].editor.by, "command of ann on host-a");
  a_.meet();
  b_.meet();
  EXPECT_EQ(a_.page->silence_changes(0)->size(), 1U) << "nothing comes back";
  EXPECT_EQ(b_.page->silence_changes(0)->size(), 1U);
}

TEST_F(SilenceExchangeTest, ChangesAndEndsComeFromEverywhere) {
  const std::string id = a_.set("agent=web-1", kHourMs).id;
  a_.meet();
  b_.meet();
  b_.set("agent=web-1", 2 * kHourMs, id, "longer");  // by a clock that is behind
  b_.meet();
  a_.meet();
  EXPECT_EQ(a_.only(), id + " longer active");
  ASSERT_TRUE(a_.page->expire_silence(id, {"bob", "session"}));
  a_.meet();
  b_.clock.advance(10 * kNanosPerSecond);
  b_.meet();
  EXPECT_EQ(b_.only(), id + " longer expired");
  EXPECT_EQ(b_.page->silence_changes(0)->back().event, "silence.expired");
  EXPECT_EQ(b_.page->silence_changes(0)->back().editor.by, "session on host-a");
}

TEST_F(SilenceExchangeTest, OfTwoChangesAtOnceBothKeepTheSame) {
  const std::string id = a_.set("agent=web-1", kHourMs).id;
  a_.meet();
  b_.meet();
  a_.set("agent=web-1", kHourMs, id, "of a");
  b_.set("agent=web-1", kHourMs, id, "of b");
  a_.meet();
  b_.meet();  // b has not seen a's change before
  a_.meet();
  b_.meet();
  EXPECT_EQ(a_.only().substr(0, 21), b_.only().substr(0, 21));
}

TEST_F(SilenceExchangeTest, WhatWasSetWhileTheStoreWasAwayIsSharedLater) {
  a_.away = true;
  const std::string id = a_.set("agent=web-1", kHourMs).id;
  ASSERT_TRUE(a_.exchange->take({}));
  EXPECT_FALSE(a_.exchange->offer());
  a_.away = false;
  ASSERT_TRUE(a_.exchange->offer()) << "tried again although the file is the same";
  b_.meet();
  EXPECT_EQ(b_.only(), id + " x pending");
}

TEST_F(SilenceExchangeTest, WhatEndedLongAgoIsDeletedFromTheStoreAndStaysAway) {
  const std::string id = a_.set("agent=web-1", kHourMs).id;
  a_.meet();
  b_.meet();
  a_.clock.advance((SilenceExchange::kKeepEndedMs + 2 * kHourMs) * kNanosPerMilli);
  a_.meet();
  EXPECT_TRUE(a_.documents().empty());
  b_.clock.advance((SilenceExchange::kKeepEndedMs + 2 * kHourMs) * kNanosPerMilli);
  b_.meet();
  a_.meet();
  EXPECT_TRUE(a_.documents().empty());
  EXPECT_EQ(b_.only(), id + " x expired") << "the history keeps it";
}

TEST_F(SilenceExchangeTest, DocumentsThatCannotBeUsedChangeNothing) {
  const Silence made = a_.set("agent=web-1", kHourMs);
  a_.meet();
  const std::string good = a_.documents().at(made.id);
  std::string everything = good;
  everything.replace(everything.find("agent=\\\"web-1\\\""), 15, "agent=~\\\".*\\\"");
  const std::map<std::string, std::string> bad = {{"0", ""},
                                                  {"1", "{}"},
                                                  {"2", "[1]"},
                                                  {"3", good},  // the id of another one
                                                  {"4", std::string(100'000, '[')},
                                                  {made.id, everything}};
  ASSERT_TRUE(b_.exchange->take(bad));
  EXPECT_EQ(b_.only(), "0 silences");
  EXPECT_TRUE(notify::decode_silence(good));
}

}  // namespace
}  // namespace monitor
