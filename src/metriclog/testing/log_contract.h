// The contract of every metric log, as one test suite. Each implementation instantiates it with its own fixture.
//
//   INSTANTIATE_TEST_SUITE_P(Memory, MetricLogContract, ::testing::Values(&make_memory_fixture));
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "metriclog/log.h"
#include "metriclog/testing/deliveries.h"

namespace monitor::metriclog {

// A log of its own for each test.
class LogFixture {
 public:
  virtual ~LogFixture() = default;
  virtual LogWriter& writer() = 0;
  virtual std::unique_ptr<LogReader> reader(const ReaderOptions& options) = 0;
  // Advances the log's time: records appended later are younger by `ns`.
  virtual void advance(int64_t ns) = 0;
  virtual int64_t now_ns() = 0;
  // Applies retention: deletes exactly the first `count` records that were appended.
  virtual void take_first(int64_t count) = 0;
  virtual size_t max_record_bytes() const = 0;
  // By how much the log's clock may differ from now_ns().
  virtual int64_t time_tolerance_ns() const { return 0; }
  // True if a reader may have fetched records before it returns them, so that records deleted then are not lost to it.
  virtual bool reads_ahead() const { return false; }
};

using LogFixtureFactory = std::function<std::unique_ptr<LogFixture>()>;

class MetricLogContract : public ::testing::TestWithParam<LogFixtureFactory> {
 protected:
  static constexpr int64_t kPatience = 20 * kNanosPerSecond;  // an upper bound, reached only if the test fails

  void append(const std::string& value, const std::string& key = "agent-1") {
    const std::vector<std::pair<std::string_view, std::string_view>> headers = {{"agent", key}, {"sequence", "7"}};
    ASSERT_EQ(writer().append({key, headers, value}, deliveries_, ++token_), LogWriter::Accepted::kYes);
  }
  void append_all(const std::vector<std::string>& values) {
    for (const std::string& value : values) append(value);
    ASSERT_TRUE(writer().flush(kPatience));
  }
  LogWriter& writer() { return log_->writer(); }

  // Polls until `count` records arrived; other events are kept in events_.
  std::vector<Record> read(LogReader& reader, size_t count) {
    std::vector<Record> records;
    for (int i = 0; i < 1000 && records.size() < count; ++i) {
      auto events = reader.poll(kPatience / 1000);
      EXPECT_TRUE(events.ok());
      if (!events.ok()) break;
      for (ReaderEvent& event : *events) {
        for (Record& record : event.records) records.push_back(std::move(record));
        events_.push_back(std::move(event));
      }
    }
    return records;
  }
  // Polls until an event of that kind arrived.
  ReaderEvent wait_for(LogReader& reader, ReaderEvent::Kind kind) {
    for (int i = 0; i < 1000; ++i) {
      auto events = reader.poll(kPatience / 1000);
      EXPECT_TRUE(events.ok());
      if (!events.ok()) break;
      for (ReaderEvent& event : *events) {
        if (event.kind == kind) return event;
      }
    }
    ADD_FAILURE() << "the event did not arrive";
    return {};
  }
  static bool assigned_now(LogReader& reader) {
    auto events = reader.poll(0);
    return events.ok() && !events->empty() && events->front().kind == ReaderEvent::Kind::kAssigned;
  }
  static std::vector<std::string> values(const std::vector<Record>& records) {
    std::vector<std::string> out;
    out.reserve(records.size());
    for (const Record& record : records) out.push_back(record.value);
    return out;
  }
  static StartAt earliest() { return {.kind = StartAt::Kind::kEarliest}; }

  std::unique_ptr<LogFixture> log_ = GetParam()();
  Deliveries deliveries_;
  uint64_t token_ = 0;
  std::vector<ReaderEvent> events_;
};

TEST_P(MetricLogContract, ReportsEachRecordOnceAndReadersSeeItWhole) {
  append_all({"one", std::string("t\0wo", 4), ""});
  const auto reports = deliveries_.all();
  ASSERT_EQ(reports.size(), 3U);
  for (const Delivery& delivery : reports) EXPECT_EQ(delivery.outcome, Outcome::kStored);

  const auto reader = log_->reader({.start = earliest()});
  const auto records = read(*reader, 3);
  EXPECT_THAT(values(records), ::testing::ElementsAre("one", std::string("t\0wo", 4), ""));
  EXPECT_EQ(records[0].key, "agent-1");
  EXPECT_EQ(records[0].header("sequence"), "7");
  EXPECT_EQ(records[0].header("agent"), "agent-1");
  EXPECT_EQ(records[0].header("none"), "");
  EXPECT_LE(std::abs(records[0].time_ns - log_->now_ns()), log_->time_tolerance_ns());
  EXPECT_LT(records[0].offset, records[1].offset);
  EXPECT_LT(records[1].offset, records[2].offset);
}

TEST_P(MetricLogContract, WriterAndReadersAgreeOnTheIdentity) {
  append_all({"one"});
  const std::string identity = writer().identity();
  EXPECT_NE(identity, "") << "the identity is known once a record is stored";
  const auto reader = log_->reader({});
  wait_for(*reader, ReaderEvent::Kind::kAssigned);
  EXPECT_EQ(reader->identity(), identity);
}

TEST_P(MetricLogContract, WithoutAGroupReadsFromLatest) {
  append_all({"before"});
  const auto reader = log_->reader({});
  const ReaderEvent event = wait_for(*reader, ReaderEvent::Kind::kAssigned);
  ASSERT_FALSE(event.assigned.empty());
  EXPECT_LT(event.assigned[0].next_offset, 0);
  append_all({"after"});
  EXPECT_THAT(values(read(*reader, 1)), ::testing::ElementsAre("after"));
}

TEST_P(MetricLogContract, ReadsFromATime) {
  append_all({"old"});
  log_->advance(60 * kNanosPerSecond);
  const int64_t since = log_->now_ns();
  append_all({"new"});
  log_->advance(60 * kNanosPerSecond);
  append_all({"newer"});
  const auto reader = log_->reader({.start = {.kind = StartAt::Kind::kTime, .time_ns = since}});
  EXPECT_THAT(values(read(*reader, 2)), ::testing::ElementsAre("new", "newer"));
}

TEST_P(MetricLogContract, TreatsATimeAfterTheEndAsLatest) {
  append_all({"old"});
  const auto reader =
      log_->reader({.start = {.kind = StartAt::Kind::kTime, .time_ns = log_->now_ns() + kNanosPerSecond}});
  wait_for(*reader, ReaderEvent::Kind::kAssigned);
  append_all({"new"});
  EXPECT_THAT(values(read(*reader, 1)), ::testing::ElementsAre("new"));
}

TEST_P(MetricLogContract, GroupResumesAtItsSnapshotAndGetsItBack) {
  append_all({"a", "b", "c"});
  {
    const auto reader = log_->reader({.group = "g", .start = earliest()});
    const auto records = read(*reader, 3);
    ASSERT_EQ(records.size(), 3U);
    const Snapshot snapshot{records[1].partition, records[1].offset + 1, std::string("sta\0te", 6)};
    ASSERT_TRUE(reader->store({&snapshot, 1}).ok());
  }
  const auto reader = log_->reader({.group = "g"});
  EXPECT_THAT(values(read(*reader, 1)), ::testing::ElementsAre("c"));
  ASSERT_EQ(events_[events_.size() - 2].kind, ReaderEvent::Kind::kAssigned);
  EXPECT_EQ(events_[events_.size() - 2].assigned[0].state, std::string("sta\0te", 6));
}

TEST_P(MetricLogContract, StartOverridesTheGroupsPositionAndSnapshot) {
  append_all({"a", "b"});
  {
    const auto reader = log_->reader({.group = "g", .start = earliest()});
    const auto records = read(*reader, 2);
    const Snapshot snapshot{records[1].partition, records[1].offset + 1, "state"};
    ASSERT_TRUE(reader->store({&snapshot, 1}).ok());
  }
  const auto reader = log_->reader({.group = "g", .start = earliest()});
  const ReaderEvent event = wait_for(*reader, ReaderEvent::Kind::kAssigned);
  EXPECT_LT(event.assigned[0].next_offset, 0);
  EXPECT_EQ(event.assigned[0].state, "");
}

TEST_P(MetricLogContract, NewGroupStartsAtLatestAndKeepsThatPosition) {
  append_all({"before"});
  {
    wait_for(*log_->reader({.group = "g"}), ReaderEvent::Kind::kAssigned);
  }
  append_all({"between"});
  const auto reader = log_->reader({.group = "g"});
  EXPECT_THAT(values(read(*reader, 1)), ::testing::ElementsAre("between"));
}

TEST_P(MetricLogContract, NewGroupCanStartAtEarliestAndKeepsThatPosition) {
  append_all({"a", "b"});
  {
    const auto reader = log_->reader({.group = "g", .start = {}, .new_group_at_earliest = true});
    wait_for(*reader, ReaderEvent::Kind::kAssigned);
  }
  const auto reader = log_->reader({.group = "g"});
  EXPECT_THAT(values(read(*reader, 2)), ::testing::ElementsAre("a", "b"));
}

TEST_P(MetricLogContract, AssignmentReportsTheExtentAndTheStart) {
  append_all({"a", "b", "c"});
  const auto whole = log_->reader({.group = "g", .start = earliest()});
  const auto read_by_it = read(*whole, 3);
  ASSERT_EQ(read_by_it.size(), 3U);
  const ReaderEvent first = events_.front();
  ASSERT_EQ(first.kind, ReaderEvent::Kind::kAssigned);
  ASSERT_EQ(first.extents.size(), first.assigned.size());
  int64_t records = 0;
  for (const Extent& extent : first.extents) {
    records += extent.end - extent.begin;
    EXPECT_EQ(extent.next, extent.begin);
    EXPECT_FALSE(extent.cut);
  }
  EXPECT_EQ(records, 3);
  log_->take_first(2);
  const auto left = log_->reader({.start = {.kind = StartAt::Kind::kLatest}});
  const ReaderEvent event = wait_for(*left, ReaderEvent::Kind::kAssigned);
  ASSERT_EQ(event.extents.size(), event.assigned.size());
  for (size_t i = 0; i < event.assigned.size(); ++i) {
    if (event.assigned[i].partition != read_by_it[0].partition) continue;
    const Extent& extent = event.extents[i];
    EXPECT_EQ(extent.begin, read_by_it[2].offset);
    EXPECT_EQ(extent.end, read_by_it[2].offset + 1);
    EXPECT_EQ(extent.next, extent.end);
    EXPECT_TRUE(extent.cut);
  }
}

TEST_P(MetricLogContract, GroupsAreIndependent) {
  append_all({"a", "b"});
  const auto one = log_->reader({.group = "one", .start = earliest()});
  const auto two = log_->reader({.group = "two", .start = earliest()});
  EXPECT_EQ(read(*one, 2).size(), 2U);
  const auto records = read(*two, 2);
  ASSERT_EQ(records.size(), 2U);
  const Snapshot snapshot{records[1].partition, records[1].offset + 1, ""};
  ASSERT_TRUE(one->store({&snapshot, 1}).ok());
  append_all({"c"});
  EXPECT_THAT(values(read(*two, 1)), ::testing::ElementsAre("c"));
}

TEST_P(MetricLogContract, StandbyMemberContinuesAtTheStoredPosition) {
  append_all({"a", "b"});
  auto first = log_->reader({.group = "g", .start = earliest()});
  const auto records = read(*first, 2);
  ASSERT_EQ(records.size(), 2U);
  const auto second = log_->reader({.group = "g"});
  EXPECT_FALSE(assigned_now(*second));
  const Snapshot mine{records[0].partition, records[0].offset + 1, "s"};
  ASSERT_TRUE(second->store({&mine, 1}).ok()) << "a member without partitions must skip the snapshot";
  ASSERT_TRUE(first->store({&mine, 1}).ok());
  first.reset();
  EXPECT_THAT(values(read(*second, 1)), ::testing::ElementsAre("b"));
}

TEST_P(MetricLogContract, ReportsRecordsDeletedByRetentionAsLost) {
  append_all({"a", "b"});
  auto reader = log_->reader({.group = "g", .start = earliest()});
  const auto records = read(*reader, 2);
  ASSERT_EQ(records.size(), 2U);
  if (log_->reads_ahead()) {
    const Snapshot snapshot{records[1].partition, records[1].offset + 1, ""};
    ASSERT_TRUE(reader->store({&snapshot, 1}).ok());
    reader = nullptr;
    reader = log_->reader({.group = "g"});
  }
  append_all({"c", "d", "e"});
  log_->take_first(4);
  EXPECT_THAT(values(read(*reader, 1)), ::testing::ElementsAre("e"));
  ASSERT_GE(events_.size(), 2U);
  const ReaderEvent& lost = events_[events_.size() - 2];
  EXPECT_EQ(lost.kind, ReaderEvent::Kind::kLost);
  EXPECT_EQ(lost.from, records[1].offset + 1);
  EXPECT_EQ(lost.to, events_.back().records[0].offset);
}

TEST_P(MetricLogContract, StartingAtEarliestAfterRetentionIsNotALoss) {
  append_all({"a", "b"});
  append_all({"c"});
  log_->take_first(2);
  const auto reader = log_->reader({.start = earliest()});
  EXPECT_THAT(values(read(*reader, 1)), ::testing::ElementsAre("c"));
  for (const ReaderEvent& event : events_) EXPECT_NE(event.kind, ReaderEvent::Kind::kLost);
}

TEST_P(MetricLogContract, RejectsARecordTooLargeAndStoresItsNeighbours) {
  append("before");
  append(std::string(log_->max_record_bytes() + 1, 'x'));
  append("after");
  ASSERT_TRUE(writer().flush(kPatience));
  int rejected = 0;
  for (const Delivery& delivery : deliveries_.all()) {
    if (delivery.outcome == Outcome::kRejected) {
      ++rejected;
      EXPECT_EQ(delivery.token, 2U);
      EXPECT_TRUE(delivery.reason.starts_with("too_large: ")) << delivery.reason;
    } else {
      EXPECT_EQ(delivery.outcome, Outcome::kStored);
    }
  }
  EXPECT_EQ(rejected, 1);
  const auto reader = log_->reader({.start = earliest()});
  EXPECT_THAT(values(read(*reader, 2)), ::testing::ElementsAre("before", "after"));
}

TEST_P(MetricLogContract, KeepsManyRecordsInOrder) {
  constexpr int kCount = 3000;
  for (int i = 0; i < kCount; ++i) append(std::to_string(i));
  ASSERT_TRUE(writer().flush(kPatience));
  const auto reader = log_->reader({.start = earliest()});
  const auto records = read(*reader, kCount);
  ASSERT_EQ(records.size(), static_cast<size_t>(kCount));
  for (int i = 0; i < kCount; ++i) EXPECT_EQ(records[static_cast<size_t>(i)].value, std::to_string(i));
}

// A snapshot store that a reader brings with it.
class OwnSnapshots final : public SnapshotStore {
 public:
  Result<std::vector<Snapshot>> load(const std::string& log) override {
    std::vector<Snapshot> found;
    for (const auto& [partition, snapshot] : stored[log]) found.push_back(snapshot);
    return found;
  }
  Status store(const std::string& log, std::span<const Snapshot> snapshots) override {
    for (const Snapshot& snapshot : snapshots) stored[log][snapshot.partition] = snapshot;
    return {};
  }
  std::map<std::string, std::map<int32_t, Snapshot>> stored;
};

TEST_P(MetricLogContract, ReaderWithItsOwnStoreContinuesAtItsPosition) {
  OwnSnapshots own;
  append_all({"a", "b", "c"});
  const ReaderOptions options{.snapshots = &own, .new_group_at_earliest = true};
  {
    const auto reader = log_->reader(options);
    const auto records = read(*reader, 3);
    ASSERT_EQ(records.size(), 3U);
    const Snapshot snapshot{.partition = records[1].partition, .next_offset = records[1].offset + 1, .state = "two"};
    ASSERT_TRUE(reader->store(std::span(&snapshot, 1)));
  }
  ASSERT_EQ(own.stored.size(), 1U) << "a log must have only one name";
  const auto reader = log_->reader(options);
  const auto records = read(*reader, 1);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].value, "c");
}

TEST_P(MetricLogContract, WakeEndsAWaitingPoll) {
  const auto reader = log_->reader({});
  wait_for(*reader, ReaderEvent::Kind::kAssigned);
  reader->wake();
  const auto events = reader->poll(kPatience);
  ASSERT_TRUE(events.ok());
  EXPECT_TRUE(events->empty());
}

}  // namespace monitor::metriclog
