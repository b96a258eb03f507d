#include "ui/ledger/run.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <functional>

#include "base/random.h"
#include "base/testing/fake_clock.h"
#include "base/text.h"
#include "consume/consumer.h"
#include "views/ledger/report.h"
#include "views/ledger/testing/ledger_world.h"

namespace monitor::analysis {
namespace {

using metriclog::StartAt;
using ::testing::HasSubstr;

// A reader whose polls advance the fake clock instead of waiting, and that can do something between polls.
class PassingReader final : public metriclog::LogReader {
 public:
  PassingReader(std::unique_ptr<metriclog::LogReader> reader, FakeClock& clock)
      : reader_(std::move(reader)), clock_(clock) {}
  Result<std::vector<metriclog::ReaderEvent>> poll(int64_t timeout_ns) override {
    if (on_poll) on_poll();
    auto events = reader_->poll(0);
    if (events.ok() && events->empty()) clock_.advance(timeout_ns);
    return events;
  }
  Status store(std::span<const metriclog::Snapshot> snapshots) override { return reader_->store(snapshots); }
  void wake() override {}

  std::function<void()> on_poll;

 private:
  std::unique_ptr<metriclog::LogReader> reader_;
  FakeClock& clock_;
};

class LedgerRunTest : public ::testing::Test {
 protected:
  Result<LedgerSummary> run(const std::string& group = "", StartAt start = {.kind = StartAt::Kind::kEarliest}) {
    PassingReader reader(world_.log.reader({.group = group, .start = start, .new_group_at_earliest = !group.empty()}),
                         world_.clock);
    reader.on_poll = [this] {
      if (on_poll_) on_poll_();
    };
    options_.reading.keep = !group.empty();
    telemetry::Registry registry;
    StringOutput output;
    auto summary = run_ledger(options_, reader, output, world_.clock, registry, stop_);
    text_ = output.text();
    metrics_ = registry.text();
    return summary;
  }
  std::vector<nlohmann::json> lines() const {
    std::vector<nlohmann::json> result;
    for (const std::string_view line : split(text_, '\n')) {
      if (!line.empty()) result.push_back(nlohmann::json::parse(line));
    }
    return result;
  }

  LedgerWorld world_{3};
  LedgerOptions options_{.format = LedgerOptions::Format::kJson, .missing_after_ns = 0};
  std::atomic<bool> stop_ = false;
  std::function<void()> on_poll_;
  std::string text_;
  std::string metrics_;
};

TEST_F(LedgerRunTest, ReadsUpToTheInitialEndAndReportsMissingBatches) {
  for (const char* agent : {"a", "b", "c", "d"}) {
    world_.append(world_.fresh('x', 1, agent));
    world_.append(world_.fresh('x', 3, agent));
  }
  bool appended = false;
  on_poll_ = [&] {
    if (!std::exchange(appended, true)) return;
    world_.append(world_.fresh('x', 9, "a"));
  };
  const auto summary = run();
  ASSERT_TRUE(summary.ok());
  EXPECT_TRUE(summary->complete);
  EXPECT_EQ(summary->incarnations, 4U);
  EXPECT_EQ(summary->missing, 4U);
  ASSERT_EQ(lines().size(), 4U);
  EXPECT_EQ(lines()[3]["agent"], "d");
  EXPECT_EQ(lines()[3]["missing"], nlohmann::json::parse("[[2,2]]"));
  EXPECT_THAT(metrics_, HasSubstr("monitor_analysis_ledger_missing_batches 4"));
}

TEST_F(LedgerRunTest, PrintsAnEmptyLedgerForAnEmptyLog) {
  const auto summary = run();
  ASSERT_TRUE(summary.ok());
  EXPECT_TRUE(summary->complete);
  EXPECT_EQ(text_, "");
  options_.format = LedgerOptions::Format::kTable;
  ASSERT_TRUE(run().ok());
  EXPECT_THAT(text_, HasSubstr("0 runs of 0 agents; nothing is missing"));
}

TEST_F(LedgerRunTest, SelectsOneAgent) {
  world_.append(world_.fresh('x', 1, "a"));
  world_.append(world_.fresh('x', 2, "b"));
  options_.agent = "a*";
  ASSERT_TRUE(run().ok());
  ASSERT_EQ(lines().size(), 1U);
  EXPECT_EQ(lines()[0]["agent"], "a");
}

TEST_F(LedgerRunTest, SelectsASpanOfTime) {
  for (uint64_t sequence = 1; sequence <= 9; ++sequence) {
    world_.append(world_.fresh('x', sequence));
    world_.clock.advance(60 * kNanosPerSecond);
  }
  const int64_t now = world_.clock.wall_ns();
  options_.reading.until_ns = now - 120 * kNanosPerSecond;
  ASSERT_TRUE(run("", {.kind = StartAt::Kind::kTime, .time_ns = now - 300 * kNanosPerSecond}).ok());
  ASSERT_EQ(lines().size(), 1U);
  EXPECT_EQ(lines()[0]["first_sequence"], 5);
  EXPECT_EQ(lines()[0]["last_sequence"], 7);
  EXPECT_EQ(lines()[0]["missing"], nlohmann::json::array());
  EXPECT_EQ(lines()[0]["expired"], nlohmann::json::array());
}

TEST_F(LedgerRunTest, WatchingMemberWaitsForPartitions) {
  world_.append(world_.fresh('x', 1));
  options_.reading.timeout_ns = 5 * kNanosPerSecond;
  options_.watch = true;
  options_.reading.stands_by = true;
  const auto other = world_.log.reader({.group = "g", .start = {}});
  const auto second = world_.log.reader({.group = "g", .start = {}});
  const auto third = world_.log.reader({.group = "g", .start = {}});
  const int64_t before = world_.clock.mono_ns();
  on_poll_ = [&] { stop_ = world_.clock.mono_ns() - before > 3 * options_.reading.timeout_ns; };
  const auto summary = run("g");
  ASSERT_TRUE(summary.ok()) << summary.error().to_string();
  EXPECT_FALSE(summary->complete);
}

TEST_F(LedgerRunTest, ReportsAnUnreachableLogAfterTheTimeout) {
  world_.append(world_.fresh('x', 1));
  on_poll_ = [&] { world_.log.set_trouble("broker is away"); };
  options_.reading.timeout_ns = 5 * kNanosPerSecond;
  // All partitions belong to other members.
  const auto other = world_.log.reader({.group = "g", .start = {}});
  const auto second = world_.log.reader({.group = "g", .start = {}});
  const auto third = world_.log.reader({.group = "g", .start = {}});
  const int64_t before = world_.clock.mono_ns();
  const auto summary = run("g");
  ASSERT_FALSE(summary.ok());
  EXPECT_EQ(summary.error().code(), Code::kUnavailable);
  EXPECT_THAT(summary.error().message(), HasSubstr("5s: broker is away"));
  EXPECT_EQ(world_.clock.mono_ns() - before, options_.reading.timeout_ns);
  on_poll_ = [&] { world_.log.set_trouble(""); };
  const auto standby = run("g");
  ASSERT_FALSE(standby.ok());
  EXPECT_EQ(standby.error().code(), Code::kAborted);
}

TEST_F(LedgerRunTest, GroupContinuesFromItsLedger) {
  for (uint64_t sequence = 1; sequence <= 3; ++sequence) world_.append(world_.fresh('x', sequence));
  ASSERT_TRUE(run("g").ok());
  EXPECT_EQ(lines()[0]["batches_stored"], 3);
  world_.append(world_.fresh('x', 3));
  world_.append(world_.fresh('x', 5));
  ASSERT_TRUE(run("g", {}).ok());
  ASSERT_EQ(lines().size(), 1U);
  EXPECT_EQ(lines()[0]["batches_stored"], 4);
  EXPECT_EQ(lines()[0]["duplicates"], 1);
  EXPECT_EQ(lines()[0]["missing"], nlohmann::json::parse("[[4,4]]"));
}

TEST_F(LedgerRunTest, CountsBatchesThatAGroupLostToRetentionAsExpired) {
  for (uint64_t sequence = 1; sequence <= 3; ++sequence) world_.append(world_.fresh('x', sequence));
  ASSERT_TRUE(run("g").ok());
  for (uint64_t sequence = 4; sequence <= 8; ++sequence) world_.append(world_.fresh('x', sequence));
  for (int32_t partition = 0; partition < 3; ++partition) world_.log.take_before(partition, 7);
  world_.append(world_.fresh('x', 9));
  const auto summary = run("g", {});
  ASSERT_TRUE(summary.ok());
  EXPECT_EQ(summary->lost, 3U);
  ASSERT_EQ(lines().size(), 1U);
  EXPECT_EQ(lines()[0]["expired"], nlohmann::json::parse("[[4,6]]"));
  EXPECT_EQ(lines()[0]["missing"], nlohmann::json::array());
  EXPECT_EQ(lines()[0]["batches_stored"], 6);
}

TEST_F(LedgerRunTest, RejectsAGroupOfAnotherKindOfReader) {
  world_.append(world_.fresh('x', 1));
  {
    const auto reader = world_.log.reader({.group = "g", .start = {}, .new_group_at_earliest = true});
    View nothing;
    telemetry::Registry registry;
    Consumer consumer(*reader, {&nothing}, registry);
    ASSERT_TRUE(consumer.step(0).ok());
    ASSERT_TRUE(consumer.store().ok());
  }
  const auto refused = run("g", {});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Code::kAborted);
  EXPECT_THAT(refused.error().message(), HasSubstr("the group's snapshots are of get-metrics, not of ledger"));
}

TEST_F(LedgerRunTest, WatchingPrintsChanges) {
  world_.append(world_.fresh('x', 1, "a"));
  world_.append(world_.fresh('x', 1, "b"));
  options_.watch = true;
  int polls = 0;
  on_poll_ = [&] {
    ++polls;
    if (polls == 20) world_.append(world_.fresh('x', 2, "b"));
    stop_ = polls > 40;
  };
  ASSERT_TRUE(run().ok());
  ASSERT_EQ(lines().size(), 4U);
  EXPECT_EQ(lines()[0]["end"], "running");
  EXPECT_EQ(lines()[2]["agent"], "b");
  EXPECT_EQ(lines()[2]["batches_stored"], 2);
  EXPECT_EQ(lines()[3]["agent"], "a");
  EXPECT_EQ(lines()[3]["end"], "unknown") << "no batch arrived for 30 s";
}

TEST_F(LedgerRunTest, WatchedGapBecomesMissingAsTimePasses) {
  world_.append(world_.fresh('x', 1));
  world_.append(world_.fresh('x', 3));
  options_.watch = true;
  options_.missing_after_ns = 60 * kNanosPerSecond;
  int polls = 0;
  on_poll_ = [&] { stop_ = ++polls > 80; };
  const auto summary = run();
  ASSERT_TRUE(summary.ok());
  ASSERT_EQ(lines().size(), 3U);
  EXPECT_EQ(lines()[1]["end"], "unknown");
  EXPECT_EQ(lines()[0]["waiting"], lines()[2]["missing"]);
  EXPECT_EQ(summary->missing, 1U);
}

// Members join, leave and die at any moment; batches arrive twice and out of order. In the end the group's snapshots
// must contain each batch once, and the ledger of each partition must equal that of a single reader.
TEST_F(LedgerRunTest, GroupLedgerIsExactWhateverHappensToItsMembers) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SeededRandom random(seed);
    LedgerWorld world(4);
    struct Member final {
      explicit Member(LedgerWorld& in)
          : reader(in.log.reader({.group = "g", .start = {}, .new_group_at_earliest = true})),
            consumer(*reader, {&ledger}, registry) {}
      telemetry::Registry registry;
      Ledger ledger;
      std::unique_ptr<metriclog::LogReader> reader;
      Consumer consumer;
    };
    std::vector<std::unique_ptr<Member>> members;
    members.push_back(std::make_unique<Member>(world));
    std::vector<uint64_t> made(8);
    for (int step = 0; step < 400; ++step) {
      const uint64_t agent = random.below(made.size());
      const uint64_t what = random.below(20);
      if (what < 10 && random.below(8) != 0) {
        world.append(world.fresh('x', ++made[agent], fmt::format("agent-{}", agent)));
      } else if (what < 10) {
        ++made[agent];
      } else if (what == 10 && made[agent] > 0) {
        world.append(world.fresh('x', 1 + random.below(made[agent]), fmt::format("agent-{}", agent)));
      } else if (what == 11 && members.size() < 4) {
        members.push_back(std::make_unique<Member>(world));
      } else if (what == 12 && members.size() > 1) {
        members.erase(members.begin() + static_cast<int64_t>(random.below(members.size())));
      } else {
        Member& member = *members[random.below(members.size())];
        ASSERT_TRUE(member.consumer.step(0).ok());
        const bool stores = random.below(3) == 0;
        ASSERT_TRUE(!stores || member.consumer.store().ok());
      }
    }
    for (int round = 0; round < 3; ++round) {
      for (auto& member : members) ASSERT_TRUE(member->consumer.step(0).ok());
    }
    std::vector<std::string> shared;
    for (auto& member : members) {
      for (const LedgerRow& row : report(member->ledger, {})) shared.push_back(to_json(row));
    }
    std::sort(shared.begin(), shared.end());
    const auto alone = world.log.reader({.group = "", .start = {.kind = StartAt::Kind::kEarliest}});
    Member one(world);
    Consumer consumer(*alone, {&one.ledger}, one.registry);
    ASSERT_TRUE(consumer.step(0).ok());
    std::vector<std::string> expected;
    for (const LedgerRow& row : report(one.ledger, {})) expected.push_back(to_json(row));
    EXPECT_EQ(shared, expected) << "seed " << seed;
  }
}

// Another program writes batches of a run in advance; then the agent's own batches arrive.
TEST_F(LedgerRunTest, CountsForgedBatchesAsConflictsNotDuplicates) {
  for (uint64_t sequence = 1; sequence <= 3; ++sequence) world_.append(world_.fresh('x', sequence));
  for (uint64_t sequence = 4; sequence <= 8; ++sequence) {
    metrics::Batch forged = world_.fresh('x', sequence);
    forged.hostname = "attacker";
    world_.append(forged);
  }
  for (uint64_t sequence = 4; sequence <= 6; ++sequence) world_.append(world_.fresh('x', sequence));
  world_.append(world_.fresh('x', 2));
  const auto summary = run();
  ASSERT_TRUE(summary.ok());
  EXPECT_EQ(summary->missing, 0U);
  EXPECT_EQ(summary->duplicates, 1U);
  EXPECT_EQ(summary->conflicts, 3U);
  EXPECT_EQ(summary->contradicted, 1U);
  EXPECT_EQ(lines()[0]["conflicts"], 3);
  EXPECT_EQ(lines()[0]["conflict_examples"][0]["sequence"], 4);
  EXPECT_THAT(metrics_, HasSubstr("monitor_analysis_ledger_conflicting_batches 3"));
}

}  // namespace
}  // namespace monitor::analysis
