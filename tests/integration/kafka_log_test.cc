// The metric log on a real Kafka: the contract tests of all logs, and Kafka's own behaviour. MONITOR_TEST_SERVICES
// names the file with the services' addresses (written by tools/services); without it, every test fails.
#include "metriclog/kafka/kafka_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <set>
#include <stdexcept>

#include "base/random.h"
#include "metriclog/kafka/testing/admin.h"
#include "metriclog/testing/log_contract.h"

namespace monitor::metriclog {
namespace {

using ::testing::HasSubstr;

std::string new_topic_name() {
  static std::atomic<int> count = 0;
  return "log-" + std::to_string(getpid()) + "-" + std::to_string(SystemClock().wall_ns() / kNanosPerMilli) + "-" +
         std::to_string(++count);
}

class KafkaFixture final : public LogFixture {
 public:
  LogWriter& writer() override {
    if (!writer_) {
      auto opened = open_kafka_writer({.kafka = kafka_, .partitions = 1, .max_record_bytes = max_record_bytes()});
      if (!opened) throw std::runtime_error(opened.error().to_string());
      writer_ = std::move(*opened);
      testing::wait_until_open(*writer_);
    }
    return *writer_;
  }
  std::unique_ptr<LogReader> reader(const ReaderOptions& options) override {
    writer();
    auto opened = open_kafka_reader(kafka_, options);
    if (!opened) throw std::runtime_error(opened.error().to_string());
    return std::move(*opened);
  }
  // Kafka timestamps records with its own clock, in milliseconds.
  void advance(int64_t /*ns*/) override {
    const int64_t until = clock_.wall_ns() + 3 * kNanosPerMilli;
    while (clock_.wall_ns() < until) usleep(200);
  }
  int64_t now_ns() override { return clock_.wall_ns(); }
  int64_t time_tolerance_ns() const override { return 30 * kNanosPerSecond; }
  void take_first(int64_t count) override { testing::delete_records(kafka_.brokers, kafka_.topic, 0, count); }
  bool reads_ahead() const override { return true; }
  size_t max_record_bytes() const override { return 4096; }

 private:
  SystemClock clock_;
  KafkaOptions kafka_{.brokers = testing::kafka_address(), .topic = new_topic_name()};
  std::unique_ptr<LogWriter> writer_;
};

INSTANTIATE_TEST_SUITE_P(Kafka, MetricLogContract,
                         ::testing::Values([] { return std::unique_ptr<LogFixture>(new KafkaFixture()); }));

class KafkaLog : public ::testing::Test {
 protected:
  static constexpr int64_t kPatience = 30 * kNanosPerSecond;

  std::unique_ptr<LogWriter> write(KafkaWriterOptions options = {}) {
    options.kafka.brokers = kafka_.brokers;
    options.kafka.topic = kafka_.topic;
    auto opened = open_kafka_writer(options);
    if (!opened) throw std::runtime_error(opened.error().to_string());
    return std::move(*opened);
  }
  std::unique_ptr<LogReader> read(const ReaderOptions& options = {}) const {
    auto opened = open_kafka_reader(kafka_, options);
    if (!opened) throw std::runtime_error(opened.error().to_string());
    return std::move(*opened);
  }
  static void wait_until(const std::function<bool()>& condition, const std::string& what) {
    const SystemClock clock;
    const int64_t end = clock.mono_ns() + kPatience;
    while (!condition()) {
      if (clock.mono_ns() > end) throw std::runtime_error("waited for " + what);
      usleep(1000);
    }
  }
  void append(LogWriter& writer, int count, const std::string& value = "v") {
    for (int i = 0; i < count; ++i) {
      const std::string key = "agent-" + std::to_string(i);
      wait_until([&] { return writer.append({key, {}, value}, deliveries_, ++token_) == LogWriter::Accepted::kYes; },
                 "room in the queue");
    }
    ASSERT_TRUE(writer.flush(kPatience));
  }
  size_t count(Outcome outcome) const {
    const auto all = deliveries_.all();
    return static_cast<size_t>(
        std::ranges::count_if(all, [outcome](const Delivery& delivery) { return delivery.outcome == outcome; }));
  }
  // Polls once and appends the events to `events`.
  static size_t poll(LogReader& reader, std::vector<ReaderEvent>& events) {
    auto got = reader.poll(50 * kNanosPerMilli);
    if (!got) throw std::runtime_error(got.error().to_string());
    size_t records = 0;
    for (ReaderEvent& event : *got) {
      records += event.records.size();
      events.push_back(std::move(event));
    }
    return records;
  }
  static std::set<int32_t> assigned(const std::vector<ReaderEvent>& events) {
    std::set<int32_t> partitions;
    for (const ReaderEvent& event : events) {
      for (const Snapshot& snapshot : event.assigned) partitions.insert(snapshot.partition);
      for (const int32_t partition : event.revoked) partitions.erase(partition);
    }
    return partitions;
  }

  KafkaOptions kafka_{.brokers = testing::kafka_address(), .topic = new_topic_name()};
  Deliveries deliveries_;
  uint64_t token_ = 0;
};

TEST_F(KafkaLog, CreatesTopicsWithTheRequiredSettings) {
  const auto writer = write({.partitions = 3, .retention_ns = 3600 * kNanosPerSecond});
  testing::wait_until_open(*writer);
  EXPECT_EQ(testing::count_partitions(kafka_.brokers, kafka_.topic), 3);
  auto settings = testing::settings(kafka_.brokers, kafka_.topic);
  EXPECT_EQ(settings["message.timestamp.type"], "LogAppendTime");
  EXPECT_EQ(settings["retention.ms"], "3600000");
  EXPECT_EQ(settings["cleanup.policy"], "delete");
  EXPECT_EQ(testing::count_partitions(kafka_.brokers, kafka_.topic + "-state"), 3);
  EXPECT_EQ(testing::settings(kafka_.brokers, kafka_.topic + "-state")["cleanup.policy"], "compact");
}

TEST_F(KafkaLog, WritersStoreHeartbeatsInASeparateTopic) {
  const auto first = write({.program = "first", .host = "h"});
  auto second = write({.program = "second"});
  testing::wait_until_open(*first);
  testing::wait_until_open(*second);
  auto opened = open_kafka_browser(kafka_);
  ASSERT_TRUE(opened);
  const auto wait_for = [&](const std::function<bool(const std::map<std::string, Heartbeat>&)>& is_so) {
    const int64_t end = SystemClock().mono_ns() + kPatience;
    while (SystemClock().mono_ns() < end) {
      std::map<std::string, Heartbeat> found;
      if (const auto beats = (*opened)->heartbeats()) {
        for (const Heartbeat& beat : *beats) found[beat.program] = beat;
      }
      if (is_so(found)) return true;
      usleep(50'000);
    }
    return false;
  };
  EXPECT_TRUE(wait_for([](auto found) { return found.size() == 2 && found["first"].host == "h"; }));
  EXPECT_EQ(testing::count_partitions(kafka_.brokers, kafka_.topic + "-writers"), 1);
  EXPECT_TRUE(wait_for([](auto found) { return found["first"].count > 1; })) << "heartbeats continue without records";
  second.reset();
  EXPECT_TRUE(wait_for([](auto found) { return found["second"].ended && !found["first"].ended; }));
}

TEST_F(KafkaLog, TopicOfAnOlderServerHasNoHeartbeats) {
  testing::create_topic(kafka_.brokers, kafka_.topic, 1, {});
  auto opened = open_kafka_browser(kafka_);
  ASSERT_TRUE(opened);
  const auto beats = (*opened)->heartbeats();
  ASSERT_TRUE(beats) << beats.error().to_string();
  EXPECT_TRUE(beats->empty());
}

TEST_F(KafkaLog, DoesNotChangeAnExistingTopic) {
  testing::create_topic(kafka_.brokers, kafka_.topic, 2, {{"retention.ms", "600000"}});
  const auto writer = write();
  testing::wait_until_open(*writer);
  EXPECT_EQ(testing::count_partitions(kafka_.brokers, kafka_.topic), 2);
  EXPECT_EQ(testing::settings(kafka_.brokers, kafka_.topic)["retention.ms"], "600000");
  append(*writer, 10);
  EXPECT_EQ(count(Outcome::kStored), 10U);
}

TEST_F(KafkaLog, DoesNotAddPartitionsToAnExistingTopic) {
  testing::create_topic(kafka_.brokers, kafka_.topic, 2);
  const auto writer = write({.partitions = 4, .partitions_required = true});
  wait_until([&] { return !writer->failure().ok(); }, "the failure");
  EXPECT_THAT(writer->failure().error().message(), HasSubstr("has 2 partitions, not 4"));
  EXPECT_EQ(testing::count_partitions(kafka_.brokers, kafka_.topic), 2);
}

TEST_F(KafkaLog, RejectsACompactedTopic) {
  testing::create_topic(kafka_.brokers, kafka_.topic, 1, {{"cleanup.policy", "compact"}});
  const auto writer = write();
  wait_until([&] { return writer->trouble().find("cleanup.policy=compact") != std::string::npos; }, "the refusal");
  EXPECT_EQ(writer->append({"a", {}, "v"}, deliveries_, 1), LogWriter::Accepted::kFull);
}

TEST_F(KafkaLog, AddedPartitionsStopWriterAndReaders) {
  KafkaWriterOptions options{.partitions = 2};
  options.kafka.properties = {{"topic.metadata.refresh.interval.ms", "100"}};
  const auto writer = write(options);
  testing::wait_until_open(*writer);
  append(*writer, 20);
  const size_t stored = count(Outcome::kStored);
  testing::add_partitions(kafka_.brokers, kafka_.topic, 5);
  wait_until(
      [&] {
        writer->append({"agent-1", {}, "v"}, deliveries_, ++token_);
        return writer->trouble().find("has 5 partitions, but had 2") != std::string::npos;
      },
      "the refusal");
  EXPECT_EQ(writer->append({"a", {}, "v"}, deliveries_, 1), LogWriter::Accepted::kFull);
  EXPECT_GE(count(Outcome::kStored), stored);
  const auto reader = read({.group = "g"});
  Status status;
  wait_until(
      [&] {
        auto events = reader->poll(50 * kNanosPerMilli);
        if (!events) status = events.error();
        return !events.ok();
      },
      "the reader's refusal");
  EXPECT_EQ(status.error().code(), Code::kFailedPrecondition);
}

TEST_F(KafkaLog, StoresRecordsWithinTheTopicsLimitAndRejectsLargerOnes) {
  testing::create_topic(kafka_.brokers, kafka_.topic, 1, {{"max.message.bytes", "2000"}});
  KafkaWriterOptions options;
  options.kafka.properties = {{"compression.codec", "none"}};
  const auto writer = write(options);
  testing::wait_until_open(*writer);
  for (int i = 0; i < 50; ++i) {
    const std::string value(i == 20 ? 5000 : 500, 'x');
    ASSERT_EQ(writer->append({"a", {}, value}, deliveries_, ++token_), LogWriter::Accepted::kYes);
  }
  ASSERT_TRUE(writer->flush(kPatience));
  EXPECT_EQ(count(Outcome::kStored), 49U);
  EXPECT_EQ(count(Outcome::kRejected), 1U);
}

TEST_F(KafkaLog, RecreatesADeletedTopic) {
  KafkaWriterOptions options{.partitions = 2};
  options.kafka.properties = {{"topic.metadata.refresh.interval.ms", "100"}};
  const auto writer = write(options);
  testing::wait_until_open(*writer);
  append(*writer, 5);
  testing::delete_topic(kafka_.brokers, kafka_.topic);
  testing::delete_topic(kafka_.brokers, kafka_.topic + "-state");
  const size_t before = count(Outcome::kStored);
  wait_until(
      [&] {
        writer->append({"a", {}, "v"}, deliveries_, ++token_);
        return count(Outcome::kStored) > before && writer->trouble().empty();
      },
      "records in the new topic");
}

// A topic that is deleted and recreated while its group is not running.
class KafkaReplaced : public KafkaLog {
 protected:
  void fill(int count, const std::string& value) {
    const auto writer = write({.partitions = 1});
    testing::wait_until_open(*writer);
    append(*writer, count, value);
  }
  void replace(int count, const std::string& value) {
    testing::delete_topic(kafka_.brokers, kafka_.topic);
    fill(count, value);
  }
  // Reads this many records, and stores its position.
  std::vector<ReaderEvent> read_and_store(const ReaderOptions& options, size_t records, int64_t next) {
    const auto reader = read(options);
    std::vector<ReaderEvent> events;
    size_t got = 0;
    wait_until([&] { return (got += poll(*reader, events)) >= records; }, "records");
    EXPECT_EQ(got, records);
    const Snapshot snapshot{.partition = 0, .next_offset = next, .state = "built"};
    EXPECT_TRUE(reader->store(std::span(&snapshot, 1)));
    return events;
  }
  static const ReaderEvent* find(const std::vector<ReaderEvent>& events, ReaderEvent::Kind kind) {
    const auto found = std::ranges::find(events, kind, &ReaderEvent::kind);
    return found == events.end() ? nullptr : &*found;
  }
  static std::vector<std::string> values(const std::vector<ReaderEvent>& events) {
    std::vector<std::string> all;
    for (const ReaderEvent& event : events) {
      for (const Record& record : event.records) all.push_back(record.value);
    }
    return all;
  }
};

TEST_F(KafkaReplaced, GroupReadsANewTopicOfTheSameNameFromItsStart) {
  fill(10, "old");
  read_and_store({.group = "g", .start = {.kind = StartAt::Kind::kEarliest}}, 10, 10);
  replace(25, "new");
  auto events = read_and_store({.group = "g"}, 25, 25);
  const auto* const assigned = find(events, ReaderEvent::Kind::kAssigned);
  ASSERT_NE(assigned, nullptr);
  EXPECT_EQ(assigned->assigned.at(0).state, "built") << "old records are not counted again";
  const auto* const replaced = find(events, ReaderEvent::Kind::kReplaced);
  ASSERT_NE(replaced, nullptr);
  EXPECT_EQ(replaced->from, 10);
  EXPECT_EQ(replaced->to, 0);
  EXPECT_EQ(replaced->lost, 0);
  EXPECT_EQ(values(events), std::vector<std::string>(25, "new"));
  // The replacement is reported once, and an unchanged topic is not reported as replaced.
  fill(5, "more");
  events = read_and_store({.group = "g"}, 5, 30);
  EXPECT_EQ(find(events, ReaderEvent::Kind::kReplaced), nullptr);
  EXPECT_EQ(values(events), std::vector<std::string>(5, "more"));
}

TEST_F(KafkaReplaced, CountsUnreadRecordsOfTheOldTopicAsLost) {
  fill(10, "old");
  read_and_store({.group = "g", .start = {.kind = StartAt::Kind::kEarliest}}, 10, 4);
  replace(25, "new");
  const auto events = read_and_store({.group = "g"}, 25, 25);
  const auto* const replaced = find(events, ReaderEvent::Kind::kReplaced);
  ASSERT_NE(replaced, nullptr);
  EXPECT_EQ(replaced->from, 4);
  EXPECT_EQ(replaced->lost, 6);
}

TEST_F(KafkaReplaced, SnapshotsIdentifyTheTopic) {
  class Memory final : public SnapshotStore {
   public:
    Result<std::vector<Snapshot>> load(const std::string&) override { return kept; }
    Status store(const std::string&, std::span<const Snapshot> snapshots) override {
      kept.assign(snapshots.begin(), snapshots.end());
      return {};
    }
    std::vector<Snapshot> kept;
  } memory;
  fill(10, "old");
  read_and_store({.snapshots = &memory, .new_group_at_earliest = true}, 10, 10);
  ASSERT_EQ(memory.kept.size(), 1U);
  EXPECT_FALSE(memory.kept[0].identity.empty());
  replace(25, "new");
  const auto events = read_and_store({.snapshots = &memory, .new_group_at_earliest = true}, 25, 25);
  EXPECT_NE(find(events, ReaderEvent::Kind::kReplaced), nullptr);
}

TEST_F(KafkaReplaced, LostSnapshotsDoNotSkipRecords) {
  fill(10, "old");
  read_and_store({.group = "g", .start = {.kind = StartAt::Kind::kEarliest}}, 10, 10);
  testing::delete_topic(kafka_.brokers, kafka_.topic + "-state");
  fill(5, "more");
  const auto events = read_and_store({.group = "g"}, 5, 15);
  EXPECT_EQ(values(events), std::vector<std::string>(5, "more"));
}

TEST_F(KafkaReplaced, RunningReaderNoticesTheReplacement) {
  fill(10, "old");
  const auto reader = read({.start = {.kind = StartAt::Kind::kEarliest}});
  std::vector<ReaderEvent> events;
  size_t got = 0;
  wait_until([&] { return (got += poll(*reader, events)) >= 10; }, "records");
  events.clear();
  replace(25, "new");
  wait_until(
      [&] {
        poll(*reader, events);
        return values(events).size() >= 25 && find(events, ReaderEvent::Kind::kReplaced) != nullptr;
      },
      "the new topic's records");
  const auto all = values(events);
  EXPECT_EQ(std::ranges::count(all, "new"), static_cast<int64_t>(all.size()));
}

TEST_F(KafkaLog, ReadsATopicCreatedLaterFromItsStart) {
  const auto alone = read();
  const auto member = read({.group = "g"});
  std::vector<ReaderEvent> events;
  wait_until([&] { return poll(*alone, events), poll(*member, events), events.size() >= 2; }, "the readers to wait");
  for (const ReaderEvent& event : events) EXPECT_THAT(event.text, HasSubstr("does not exist"));
  const auto writer = write();
  testing::wait_until_open(*writer);
  append(*writer, 100);
  size_t by_one = 0;
  size_t by_member = 0;
  wait_until([&] { return (by_one += poll(*alone, events)) >= 100; }, "the records");
  wait_until([&] { return (by_member += poll(*member, events)) >= 100; }, "the records in a group");
}

TEST_F(KafkaLog, MembersSharePartitionsAndTakeOver) {
  const auto writer = write({.partitions = 4});
  testing::wait_until_open(*writer);
  const auto one = read({.group = "g"});
  auto two = read({.group = "g"});
  std::vector<ReaderEvent> of_one;
  std::vector<ReaderEvent> of_two;
  const auto shared = [&] {
    poll(*one, of_one);
    poll(*two, of_two);
    return assigned(of_one).size() == 2 && assigned(of_two).size() == 2;
  };
  wait_until(shared, "two partitions each");
  append(*writer, 200);
  size_t records = 0;
  wait_until([&] { return (records += poll(*one, of_one) + poll(*two, of_two)) >= 200; }, "all records");
  EXPECT_EQ(records, 200U);
  two.reset();
  wait_until([&] { return poll(*one, of_one), assigned(of_one).size() == 4; }, "the other's partitions");
}

TEST_F(KafkaLog, MemberCanLeaveBeforeItsFirstAssignment) {
  const auto writer = write();
  testing::wait_until_open(*writer);
  // At some of these points it has joined, but has no assignment yet.
  for (int64_t wait = 0; wait < 200; wait += 10) {
    const auto member = read({.group = "leaving"});
    std::vector<ReaderEvent> events;
    const int64_t end = SystemClock().mono_ns() + wait * kNanosPerMilli;
    while (SystemClock().mono_ns() < end) {
      auto polled = member->poll(5 * kNanosPerMilli);
      ASSERT_TRUE(polled.ok());
    }
  }
}

TEST_F(KafkaLog, KafkasGroupToolsShowAndSetTheRealPositions) {
  const auto writer = write({.partitions = 1});
  testing::wait_until_open(*writer);
  append(*writer, 10);
  auto reader = read({.group = "g-" + kafka_.topic, .start = {.kind = StartAt::Kind::kEarliest}});
  std::vector<ReaderEvent> events;
  size_t records = 0;
  wait_until([&] { return (records += poll(*reader, events)) >= 10; }, "the records");
  const Snapshot snapshot{0, 7, "state"};
  ASSERT_TRUE(reader->store({&snapshot, 1}).ok());
  const std::string group = "g-" + kafka_.topic;
  wait_until([&] { return testing::committed_offset(kafka_.brokers, group, kafka_.topic) == 7; }, "the commit");
  reader.reset();
  testing::commit_offset(kafka_.brokers, group, kafka_.topic, 3);
  reader = read({.group = group});
  events.clear();
  wait_until([&] { return poll(*reader, events) > 0; }, "records again");
  EXPECT_EQ(events[0].assigned[0].next_offset, 3);
  EXPECT_EQ(events[0].assigned[0].state, "");
  EXPECT_EQ(events[1].records[0].offset, 3);
}

class KafkaRetention : public KafkaLog, public ::testing::WithParamInterface<std::string> {};

TEST_P(KafkaRetention, ReportsRecordsDeletedWhileReading) {
  const auto writer = write({.partitions = 1});
  testing::wait_until_open(*writer);
  kafka_.properties = {
      {"fetch.message.max.bytes", "20000"}, {"queued.max.messages.kbytes", "1"}, {"queued.min.messages", "1"}};
  const auto reader = read({.group = GetParam(), .start = {.kind = StartAt::Kind::kEarliest}});
  std::vector<ReaderEvent> events;
  wait_until([&] { return poll(*reader, events), !assigned(events).empty(); }, "the assignment");
  // More data than it prefetches, and incompressible.
  SeededRandom random(1);
  std::string value(20000, ' ');
  for (int i = 0; i < 40; ++i) {
    random.fill(value.data(), value.size());
    append(*writer, 1, value);
  }
  testing::delete_records(kafka_.brokers, kafka_.topic, 0, 37);
  wait_until(
      [&] {
        poll(*reader, events);
        return !events.empty() && !events.back().records.empty() && events.back().records.back().offset == 39;
      },
      "the last record");
  int64_t next = 0;
  bool lost = false;
  for (const ReaderEvent& event : events) {
    for (const Record& record : event.records) EXPECT_EQ(record.offset, next++);
    if (event.kind != ReaderEvent::Kind::kLost) continue;
    lost = true;
    EXPECT_EQ(event.from, next);
    EXPECT_EQ(event.to, 37);
    next = event.to;
  }
  EXPECT_TRUE(lost);
  EXPECT_EQ(next, 40);
}

INSTANTIATE_TEST_SUITE_P(AloneAndInAGroup, KafkaRetention, ::testing::Values("", "g"));

}  // namespace
}  // namespace monitor::metriclog
