#include "consume/consumer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/protowire.h"
#include "base/random.h"
#include "base/testing/fake_clock.h"
#include "metriclog/testing/deliveries.h"
#include "metriclog/testing/memory_log.h"
#include "metrics/encode.h"
#include "metrics/json_form.h"
#include "payload/encode.h"

namespace monitor::analysis {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Dedupe, RoundTripsAndForgetsOldEntries) {
  Dedupe dedupe;
  dedupe.add("a", "old", 1, {2}, {7, 1});
  dedupe.add("a", "i", 1, {2}, {9, Dedupe::kKeepNs + 2});
  dedupe.add("a", "i", 3, {4}, {8, 5});
  for (int i = 0; i <= 6; ++i) dedupe.add("b", "i", 900, {6}, {10 + i, 5 + Dedupe::kKeepNs + i * LogTime::kStep});
  dedupe.prune();
  EXPECT_EQ(dedupe.incarnations(), 2U);
  std::string bytes;
  dedupe.encode(bytes);
  auto back = Dedupe::decode(bytes);
  ASSERT_TRUE(back.ok());
  EXPECT_TRUE(back->seen("a", "i", 1));
  EXPECT_FALSE(back->seen("a", "i", 2));
  EXPECT_TRUE(back->seen("a", "i", 3));
  EXPECT_TRUE(back->seen("b", "i", 900));
  EXPECT_FALSE(back->seen("a", "old", 1));
  EXPECT_FALSE(Dedupe::decode(bytes.substr(0, bytes.size() - 1)).ok());
  EXPECT_EQ(back->digests(), 3U);
  EXPECT_EQ(back->look("a", "i", 3, {4}).kind, Dedupe::Verdict::Kind::kCopy);
  const auto verdict = back->look("a", "i", 1, {200});
  EXPECT_EQ(verdict.kind, Dedupe::Verdict::Kind::kConflict);
  EXPECT_EQ(verdict.first_offset, 9);
  EXPECT_EQ(back->look("a", "i", 1, {3}).kind, Dedupe::Verdict::Kind::kCopy)
      << "digests of JSON and protobuf cannot be compared";
  EXPECT_EQ(back->look("a", "i", 2, {4}).kind, Dedupe::Verdict::Kind::kNew);
}

// A snapshot from before digests were stored: agent "a", incarnation "i", last time, and sequences 1 to 3.
TEST(Dedupe, ReadsSnapshotsWithoutDigests) {
  std::string entry;
  protowire::put_bytes(entry, 1, "a");
  protowire::put_bytes(entry, 2, "i");
  protowire::put_sfixed64(entry, 3, 5);
  protowire::put_bytes(entry, 4, std::string("\x01\x02", 2));
  std::string bytes;
  protowire::put_message(bytes, 1, entry);
  auto old = Dedupe::decode(bytes);
  ASSERT_TRUE(old.ok());
  EXPECT_EQ(old->look("a", "i", 2, {4}).kind, Dedupe::Verdict::Kind::kCopy) << "known only by its sequence";
  old->add("a", "i", 4, {4}, {1, 6});
  EXPECT_EQ(old->look("a", "i", 4, {6}).kind, Dedupe::Verdict::Kind::kConflict);
}

TEST(Dedupe, BoundsDigestsAndKeepsSomeInEveryRangeOfSequences) {
  Dedupe dedupe;
  constexpr uint64_t kFlood = 100'000;
  for (uint64_t i = 1; i <= kFlood; ++i) {
    dedupe.add("a", "i", i, {2}, {static_cast<int64_t>(i), 5});
    ASSERT_LE(dedupe.digests(), Dedupe::kMostOfRun);
  }
  // Whoever writes batches under a stored range of sequences meets a digest that is still known, wherever they start.
  for (uint64_t from = 1; from < kFlood; from += kFlood / 10) {
    bool met = false;
    for (uint64_t i = from; i < from + kFlood / 10; ++i) {
      met = met || dedupe.look("a", "i", i, {4}).kind == Dedupe::Verdict::Kind::kConflict;
    }
    EXPECT_TRUE(met) << from;
  }
  EXPECT_EQ(dedupe.look("a", "i", kFlood, {4}).kind, Dedupe::Verdict::Kind::kConflict)
      << "the newest digests must all be known";
  EXPECT_EQ(dedupe.look("a", "i", kFlood - 100, {4}).kind, Dedupe::Verdict::Kind::kConflict);
}

TEST(Dedupe, ManyRunsShareTheLimitOfDigests) {
  Dedupe dedupe;
  for (uint64_t i = 1; i <= 40; ++i) {
    for (int run = 0; run < 2000; ++run) {
      dedupe.add("agent-" + std::to_string(run), "i", i, {2}, {static_cast<int64_t>(i), 5});
    }
  }
  EXPECT_LE(dedupe.digests(), Dedupe::kMostOfAll);
  EXPECT_EQ(dedupe.look("agent-0", "i", 40, {4}).kind, Dedupe::Verdict::Kind::kConflict);
  std::string bytes;
  dedupe.encode(bytes);
  EXPECT_LT(bytes.size(), 12 * Dedupe::kMostOfAll) << "it must fit into a message of the state topic";
}

TEST(Late, FollowsTheTwoRules) {
  metrics::Envelope envelope = [] {
    metrics::Envelope e;
    e.appended_ns = 100 * kNanosPerSecond;
    e.send_every_ns = 1 * kNanosPerSecond;
    return e;
  }();
  EXPECT_FALSE(is_late(envelope, 97 * kNanosPerSecond, 110 * kNanosPerSecond));
  EXPECT_TRUE(is_late(envelope, 97 * kNanosPerSecond - 1, 100 * kNanosPerSecond));
  EXPECT_TRUE(is_late(envelope, 100 * kNanosPerSecond, 110 * kNanosPerSecond + 1));
  EXPECT_TRUE(is_late(envelope, INT64_MIN, 0)) << "times from outside may have any value";
  envelope.send_every_ns = UINT64_MAX;
  EXPECT_FALSE(is_late(envelope, 0, 100 * kNanosPerSecond));
  envelope.appended_ns = INT64_MIN;
  EXPECT_TRUE(has_waited(envelope, INT64_MAX));
}

class Sink final : public View {
 public:
  std::string_view kind() const override { return name; }
  size_t take(const metriclog::Record& /*record*/, const metrics::Batch& batch, size_t first) override {
    size_t taken = 0;
    while (first + taken < batch.frames.size() && room > 0) {
      seen.push_back(batch.agent_id + "/" + std::to_string(batch.sequence) + "." + std::to_string(first + taken));
      ++taken;
      --room;
    }
    return taken;
  }
  void on_skipped(const metriclog::Record& record, const Error& why) override {
    skipped.push_back(std::to_string(record.offset) + " " + why.message());
  }
  void on_lost(int32_t /*partition*/, int64_t from, int64_t to) override { lost = {from, to}; }
  void on_revoked(int32_t partition) override { revoked.push_back(partition); }
  void on_trouble(const std::string& text) override { troubles.push_back(text); }
  void on_recovered() override { troubles.emplace_back(); }

  std::vector<std::string> seen;
  std::vector<std::string> skipped;
  std::pair<int64_t, int64_t> lost;
  std::vector<int32_t> revoked;
  std::vector<std::string> troubles;  // "" if the trouble is over
  size_t room = 1000;
  std::string name{kNoView};
};

// Returns scripted events, one list per poll.
class ScriptedReader final : public metriclog::LogReader {
 public:
  explicit ScriptedReader(std::vector<std::vector<metriclog::ReaderEvent>> polls) : polls_(std::move(polls)) {}
  Result<std::vector<metriclog::ReaderEvent>> poll(int64_t /*timeout_ns*/) override {
    return next_ < polls_.size() ? std::move(polls_[next_++]) : std::vector<metriclog::ReaderEvent>{};
  }
  Status store(std::span<const metriclog::Snapshot> /*snapshots*/) override { return {}; }
  void wake() override {}

 private:
  std::vector<std::vector<metriclog::ReaderEvent>> polls_;
  size_t next_ = 0;
};

class ConsumerTest : public ::testing::Test {
 protected:
  void append(const std::string& value, std::string_view type = "application/x-protobuf") {
    const std::pair<std::string_view, std::string_view> header{"content-type", type};
    log_.writer().append({"a", {&header, 1}, value}, ignore_, 1);
  }
  static metrics::Batch batch(uint64_t sequence, size_t frames = 1) {
    metrics::Batch b;
    b.agent_id = "a";
    b.incarnation = std::string(metrics::kIncarnationBytes, 'i');
    b.sequence = sequence;
    b.appended_ns = 5;
    b.series.push_back({.name = "m", .labels = {}, .unit = "1"});
    for (size_t i = 0; i < frames; ++i) b.frames.push_back({.time_ns = 5, .rates_since_ns = 0, .points = {{}}});
    return b;
  }
  void append_batch(uint64_t sequence, size_t frames = 1) { append(metrics::encode_batch(batch(sequence, frames))); }
  std::unique_ptr<metriclog::LogReader> reader(const std::string& group = "g") {
    return log_.reader({.group = group, .start = {}});
  }
  // Runs a reader of the group that takes at most `room` frames and then stores.
  Sink run(size_t room = 1000) {
    const auto r = reader();
    Sink sink;
    sink.room = room;
    Consumer consumer(*r, {&sink}, registry_);
    for (int i = 0; i < 3; ++i) {
      const auto went_on = consumer.step(0);
      EXPECT_TRUE(went_on.ok());
      if (!*went_on) break;
    }
    EXPECT_TRUE(consumer.store().ok());
    EXPECT_TRUE(consumer.stored_all());
    return sink;
  }

  FakeClock clock_;
  metriclog::MemoryLog log_{clock_};
  metriclog::IgnoredDeliveries ignore_;
  telemetry::Registry registry_;
};

TEST_F(ConsumerTest, PassesOnEachBatchOnceAcrossRestarts) {
  run();
  append_batch(1);
  append_batch(3);
  append_batch(1);
  EXPECT_THAT(run().seen, ElementsAre("a/1.0", "a/3.0"));
  append_batch(3);
  append_batch(2);
  EXPECT_THAT(run().seen, ElementsAre("a/2.0"));
}

TEST_F(ConsumerTest, ReportsOnceThatTroubleIsOverWhenAnythingArrives) {
  using Kind = metriclog::ReaderEvent::Kind;
  for (const Kind next : {Kind::kRecovered, Kind::kAssigned, Kind::kRecords}) {
    ScriptedReader reader({{{.kind = Kind::kTrouble, .text = "away"}},
                           {{.kind = Kind::kTrouble, .text = "still away"}},
                           {},
                           {{.kind = next}},
                           {{.kind = Kind::kRecords}, {.kind = Kind::kRecovered}}});
    Sink sink;
    Consumer consumer(reader, {&sink}, registry_);
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(consumer.step(0).ok());
    EXPECT_THAT(sink.troubles, ElementsAre("away", "still away"));
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(consumer.step(0).ok());
    EXPECT_THAT(sink.troubles, ElementsAre("away", "still away", "")) << static_cast<int>(next);
  }
}

TEST_F(ConsumerTest, WithoutAStoreBatchesAreRepeated) {
  run();
  append_batch(1);
  {
    const auto r = reader();
    Sink sink;
    Consumer consumer(*r, {&sink}, registry_);
    ASSERT_TRUE(consumer.step(0).ok());
    EXPECT_EQ(sink.seen.size(), 1U);
  }
  EXPECT_THAT(run().seen, ElementsAre("a/1.0"));
}

TEST_F(ConsumerTest, ContinuesAPartlyTakenBatchAfterARestart) {
  run();
  append_batch(1, 3);
  append_batch(2, 1);
  EXPECT_THAT(run(2).seen, ElementsAre("a/1.0", "a/1.1"));
  EXPECT_THAT(run(1).seen, ElementsAre("a/1.2"));
  EXPECT_THAT(run().seen, ElementsAre("a/2.0"));
}

TEST_F(ConsumerTest, ContinuesAPartlyTakenBatchInTheSameRun) {
  run();
  append_batch(1, 3);
  const auto r = reader();
  Sink sink;
  sink.room = 2;
  Consumer consumer(*r, {&sink}, registry_);
  EXPECT_FALSE(*consumer.step(0));
  sink.room = 5;
  EXPECT_TRUE(*consumer.step(0));
  EXPECT_THAT(sink.seen, ElementsAre("a/1.0", "a/1.1", "a/1.2"));
}

TEST_F(ConsumerTest, SkipsCountsAndReportsUndecodableRecords) {
  run();
  append("garbage");
  append("x", "text/plain");
  append(metrics::batch_to_json(batch(4)), "application/json");
  const Sink sink = run();
  EXPECT_THAT(sink.seen, ElementsAre("a/4.0"));
  ASSERT_EQ(sink.skipped.size(), 2U);
  EXPECT_THAT(sink.skipped[1], HasSubstr("text/plain"));
  EXPECT_THAT(registry_.text(), HasSubstr("monitor_analysis_skipped_total 2"));
}

TEST_F(ConsumerTest, ReportsRecordsDeletedByRetention) {
  run();
  append_batch(1);
  append_batch(2);
  log_.take_before(0, 2);
  const Sink sink = run();
  EXPECT_EQ(sink.lost, (std::pair<int64_t, int64_t>{1, 2}));
  EXPECT_THAT(sink.seen, ElementsAre("a/2.0"));
}

TEST_F(ConsumerTest, ReportsAConflictAcrossRestarts) {
  run();
  append_batch(1);
  metrics::Batch foreign = batch(2);
  foreign.hostname = "attacker";
  append(metrics::encode_batch(foreign));
  EXPECT_THAT(run().seen, ElementsAre("a/1.0", "a/2.0"));
  append_batch(2);
  append_batch(1);
  append_batch(2);
  EXPECT_THAT(run().seen, ElementsAre()) << "first come";
  EXPECT_THAT(registry_.text(), HasSubstr("monitor_analysis_conflicts_total 2\n"));
  EXPECT_THAT(registry_.text(), HasSubstr("monitor_analysis_duplicates_total 1\n"));
}

TEST_F(ConsumerTest, TreatsTheSameBatchInAnotherFormAsACopy) {
  run();
  append_batch(1);
  append(metrics::batch_to_json(batch(1)), "application/json");
  append(metrics::batch_to_json(batch(2)), "application/json");
  append(" " + metrics::batch_to_json(batch(2)), "application/json");
  append("{ " + metrics::batch_to_json(batch(2)).substr(1), "application/json");
  run();
  EXPECT_THAT(registry_.text(), HasSubstr("monitor_analysis_conflicts_total 0\n"));
}

TEST_F(ConsumerTest, ReadsPayloadV2BesideOtherForms) {
  run();
  const auto append_v2 = [this](const metrics::Batch& b) {
    log_.writer().append({"a", {}, *payload::encode(b)}, ignore_, 1);
  };
  append_batch(1);
  append_v2(batch(1));
  append_v2(batch(2, 2));
  append(metrics::batch_to_json(batch(2, 2)), "application/json");
  append(metrics::encode_batch(batch(2, 2)));
  append_batch(3);
  EXPECT_THAT(run().seen, ElementsAre("a/1.0", "a/2.0", "a/2.1", "a/3.0"));
  EXPECT_THAT(registry_.text(), HasSubstr("monitor_analysis_conflicts_total 0\n"));
  EXPECT_THAT(registry_.text(), HasSubstr("monitor_analysis_duplicates_total 3\n"));

  metrics::Batch foreign = batch(2, 2);
  foreign.hostname = "attacker";
  append_v2(foreign);
  EXPECT_THAT(run().seen, ElementsAre());
  EXPECT_THAT(registry_.text(), HasSubstr("monitor_analysis_conflicts_total 1\n"));

  std::string damaged = *payload::encode(batch(4));
  damaged.pop_back();
  log_.writer().append({"a", {}, damaged}, ignore_, 1);
  const Sink sink = run();
  ASSERT_EQ(sink.skipped.size(), 1U);
  EXPECT_THAT(sink.skipped[0], HasSubstr("payload: "));
}

// Counts batches, and stores the count in snapshots.
class Counting final : public View {
 public:
  explicit Counting(std::string kind) : name(std::move(kind)) {}
  std::string_view kind() const override { return name; }
  uint32_t version() const override { return newest; }
  bool needs_values() const override { return values; }
  Unusable unusable_snapshot() const override { return policy; }
  void fresh(int32_t /*partition*/, const metriclog::Extent& extent) override { began.push_back(extent.next); }
  Status decode(int32_t /*partition*/, uint32_t version, std::string_view bytes) override {
    if (bytes == "bad") return Error(Code::kDataLoss, "bad");
    count = bytes.empty() ? 0 : std::stoull(std::string(bytes));
    decoded = version;
    return {};
  }
  void encode(int32_t /*partition*/, std::string& out) override { out = spoilt ? "bad" : std::to_string(count); }
  void apply(const metriclog::Record& /*record*/, const metrics::Batch& batch) override {
    ++count;
    series = batch.series.size();
  }

  std::string name;
  uint32_t newest = 1;
  bool values = false;
  Unusable policy = Unusable::kStops;
  bool spoilt = false;
  uint64_t count = 0;
  uint32_t decoded = 0;
  size_t series = 0;
  std::vector<int64_t> began;
};

class ViewsTest : public ConsumerTest {
 protected:
  // Acts as a process that reads everything, stores, and ends.
  Status read(std::vector<View*> views) {
    const auto r = reader();
    Consumer consumer(*r, std::move(views), registry_);
    for (int i = 0; i < 3; ++i) {
      const auto went_on = consumer.step(0);
      if (!went_on) return went_on.error();
      if (!*went_on) break;
    }
    return consumer.store();
  }
  // Writes a state into the group's snapshot, as another version of the program would.
  void write_state(int64_t next_offset, const std::string& state) {
    const auto r = reader();
    ASSERT_TRUE(r->poll(0).ok());
    const metriclog::Snapshot snapshot{.partition = 0, .next_offset = next_offset, .state = state};
    ASSERT_TRUE(r->store({&snapshot, 1}).ok());
  }
};

TEST_F(ViewsTest, EachKeepsItsOwnStateAndProgressAcrossRestarts) {
  ASSERT_TRUE(read({}));
  append_batch(1, 3);
  append_batch(2);
  for (size_t room : {size_t{2}, size_t{0}, size_t{9}}) {
    Counting before("before");
    Sink slow;
    Counting after("after");
    slow.room = room;
    slow.name = "slow";
    ASSERT_TRUE(read({&before, &slow, &after}));
    EXPECT_EQ(before.count, room == 9 ? 2U : 1U) << "no batch may be counted twice while another view is slow";
    EXPECT_EQ(after.count, room == 9 ? 2U : 0U);
    if (room == 9) {
      EXPECT_THAT(slow.seen, ElementsAre("a/1.2", "a/2.0"));
    }
  }
}

TEST_F(ViewsTest, DecodesValuesOnlyIfAViewNeedsThem) {
  ASSERT_TRUE(read({}));
  append_batch(1);
  Counting one("one");
  Counting two("two");
  ASSERT_TRUE(read({&one, &two}));
  EXPECT_EQ(one.series, 0U);
  append_batch(2);
  two.values = true;
  ASSERT_TRUE(read({&one, &two}));
  EXPECT_EQ(one.series, 1U);
}

TEST_F(ViewsTest, ViewThatStartsOverDoesNotStopTheOthers) {
  ASSERT_TRUE(read({}));
  append_batch(1);
  Counting good("good");
  Counting bad("bad");
  bad.spoilt = true;
  ASSERT_TRUE(read({&good, &bad}));
  append_batch(2);
  Counting stops("bad");
  Counting other("good");
  const Status stopped = read({&other, &stops});
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code(), Code::kDataLoss);
  stops.policy = View::Unusable::kBeginsAnew;
  ASSERT_TRUE(read({&other, &stops}));
  EXPECT_EQ(other.count, 2U);
  EXPECT_EQ(stops.count, 1U);
  EXPECT_THAT(stops.began, ElementsAre(2)) << "it must be told where it starts";
}

TEST_F(ViewsTest, NewViewJoinsAGroupOnlyIfItMayStartOver) {
  ASSERT_TRUE(read({}));
  append_batch(1);
  Counting old("old");
  ASSERT_TRUE(read({&old}));
  Counting added("added");
  const Status refused = read({&old, &added});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kAborted);
  added.policy = View::Unusable::kBeginsAnew;
  ASSERT_TRUE(read({&old, &added}));
  append_batch(2);
  ASSERT_TRUE(read({&old, &added}));
  EXPECT_EQ(added.count, 1U);
  const Status gone = read({&old});
  ASSERT_FALSE(gone) << "its state would be lost";
  EXPECT_THAT(gone.error().message(), HasSubstr("snapshots are of added, not of old"));
}

TEST_F(ViewsTest, DoesNotDecodeAStateOfANewerVersion) {
  ASSERT_TRUE(read({}));
  append_batch(1);
  Counting newer("v");
  newer.newest = 2;
  ASSERT_TRUE(read({&newer}));
  Counting same("v");
  const Status refused = read({&same});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("v 2, known up to 1"));
  same.newest = 3;
  ASSERT_TRUE(read({&same}));
  EXPECT_EQ(same.decoded, 2U);
}

TEST_F(ViewsTest, ReadsSnapshotsFromBeforeViewsExisted) {
  append_batch(1, 2);
  std::string state;
  protowire::put_uint64(state, 2, 1);
  write_state(1, state);
  EXPECT_THAT(run().seen, ElementsAre("a/1.1")) << "a snapshot of get-metrics, which had printed one tick";

  for (const char* kind : {"ledger", "history+ledger"}) {
    state.clear();
    protowire::put_bytes(state, 3, kind);
    protowire::put_bytes(state, 4, "41");
    write_state(1, state);
    Counting ledger("ledger");
    Counting history("history");
    std::vector<View*> views = {&ledger};
    if (std::string_view(kind) != "ledger") views.push_back(&history);
    ASSERT_TRUE(read(views)) << kind;
    EXPECT_EQ(ledger.count, 42U) << kind;
  }
}

}  // namespace
}  // namespace monitor::analysis
