// FileSpool across the death of its process, power loss, and disk failures.
#include "spool/file_spool.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/crc32c.h"
#include "spool/testing/spool_world.h"

namespace monitor::agent {
namespace {

using monitor::testing::DiskCall;
using monitor::testing::DiskFault;
using monitor::testing::DiskOp;

constexpr int64_t kS = kNanosPerSecond;

std::vector<uint64_t> sequences(const std::vector<Key>& keys) {
  std::vector<uint64_t> result;
  result.reserve(keys.size());
  for (const Key& key : keys) result.push_back(key.second);
  return result;
}

std::vector<uint64_t> from_to(uint64_t first, uint64_t last) {
  std::vector<uint64_t> result;
  for (uint64_t i = first; i <= last; ++i) result.push_back(i);
  return result;
}

TEST(FileSpool, KillLosesNoBatchThatHasASequence) {
  SpoolWorld w;
  ASSERT_TRUE(w.start());
  w.settle_at_once = false;
  w.append_many(50);
  w.kill();
  ASSERT_TRUE(w.start());
  w.worker.run_all();
  EXPECT_EQ(w.spool->batches(), 50U);
  const auto older = w.spool->older(incarnation(2));
  ASSERT_EQ(older.size(), 1U);
  EXPECT_EQ(older[0].incarnation, incarnation(1));
  EXPECT_EQ(older[0].first_unacked, 1U);
  ASSERT_EQ(w.teller->to_tell.ended.size(), 1U);
  EXPECT_EQ(w.teller->to_tell.ended[0].last_sequence, 50U);
  EXPECT_FALSE(w.teller->to_tell.ended[0].clean);
  EXPECT_EQ(sequences(w.drain()), from_to(1, 50));
  EXPECT_EQ(w.teller->lost_batches(), 0U);
}

TEST(FileSpool, SendsTheFreshIncarnationBeforeEarlierOnes) {
  SpoolWorld w;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(w.start());
    w.append_many(20);
    w.kill();
  }
  ASSERT_TRUE(w.start());
  w.append_many(2);
  EXPECT_EQ(w.spool->older(incarnation(4)).size(), 3U);
  EXPECT_EQ(w.teller->to_tell.ended.size(), 1U + 2U) << "unacknowledged reports must be repeated";
  const auto order = w.drain();
  ASSERT_EQ(order.size(), 62U);
  EXPECT_EQ(order[0].first, incarnation(4));
  EXPECT_EQ(order[1].first, incarnation(4));
  EXPECT_EQ(order[2].first, incarnation(1));
  EXPECT_EQ(order[61].first, incarnation(3));
  EXPECT_TRUE(w.spool->older(incarnation(4)).empty());
}

TEST(FileSpool, AcknowledgedBatchesStayForgottenAfterARestart) {
  SpoolWorld w;
  ASSERT_TRUE(w.start());
  w.append_many(30);
  for (int i = 0; i < 20; ++i) w.spool->acknowledged(w.send()->id);
  w.pass(6 * kS);
  w.kill();
  ASSERT_TRUE(w.start());
  EXPECT_EQ(w.spool->batches(), 10U);
  EXPECT_EQ(w.spool->older(incarnation(2))[0].first_unacked, 5U) << "the last 16 were sent first";
  const auto order = sequences(w.drain());
  EXPECT_EQ(order, from_to(5, 14));
}

TEST(FileSpool, CleanStopLeavesNoSegmentAndIsReported) {
  SpoolWorld w;
  ASSERT_TRUE(w.start());
  w.append_many(30);
  (void)w.drain();
  w.stop();
  for (const auto& [path, content] : w.disk.contents()) EXPECT_FALSE(path.ends_with(".seg")) << path;
  ASSERT_TRUE(w.start());
  ASSERT_EQ(w.teller->to_tell.ended.size(), 1U);
  EXPECT_TRUE(w.teller->to_tell.ended[0].clean);
  EXPECT_EQ(w.teller->to_tell.ended[0].last_sequence, 30U);
  w.teller->to_tell.ended.clear();  // an acknowledged batch has reported it
  w.append();
  (void)w.drain();
  w.stop();
  ASSERT_TRUE(w.start());
  ASSERT_EQ(w.teller->to_tell.ended.size(), 1U) << "each end must be reported once";
  EXPECT_EQ(w.teller->to_tell.ended[0].incarnation, incarnation(2));
}

TEST(FileSpool, DropRecordsOutliveTheProcess) {
  SpoolWorld w;
  ASSERT_TRUE(w.start());
  w.append_many(3000, 1'000);
  const uint64_t lost = w.teller->lost_batches("full");
  EXPECT_GT(lost, 1000U);
  w.kill();
  ASSERT_TRUE(w.start());
  EXPECT_EQ(w.teller->lost_batches("full"), lost);
  EXPECT_EQ(w.teller->lost_batches(), lost) << "dropped batches must not count as damaged";
  EXPECT_EQ(sequences(w.drain()), from_to(lost + 1, 3000));
}

TEST(FileSpool, DeletesResolvedSegmentsAndNeverWritesThemAgain) {
  SpoolWorld w;
  ASSERT_TRUE(w.start());
  w.append_many(600, 1'000);
  const uint64_t before = w.spool->stats().segments;
  EXPECT_GE(before, 8U);
  (void)w.drain();
  w.pass(6 * kS);
  EXPECT_EQ(w.spool->stats().segments, 1U) << "only the current one remains";
  const auto names = w.disk.contents();
  w.kill();
  ASSERT_TRUE(w.start());
  w.append();
  uint64_t highest = 0;
  for (const auto& [path, content] : w.disk.contents()) {
    if (!path.ends_with(".seg")) continue;
    EXPECT_FALSE(names.contains(path)) << path;
    highest = std::max(highest, *parse_segment_name(path.substr(path.rfind('/') + 1)));
  }
  EXPECT_GT(highest, before);
}

TEST(FileSpool, DeletionWaitsForTheCheckpoint) {
  SpoolWorld w;
  ASSERT_TRUE(w.start());
  w.append_many(600, 1'000);
  w.disk.set_judge([](const DiskCall& call) -> std::optional<DiskFault> {
    const bool checkpoint = call.path.ends_with("checkpoint");
    return checkpoint && call.op == DiskOp::kSync ? std::optional(DiskFault::kIo) : std::nullopt;
  });
  const auto segments = w.spool->stats().segments;
  (void)w.drain();
  w.pass(6 * kS);
  EXPECT_EQ(w.spool->stats().segments, segments);
  EXPECT_GT(w.spool->stats().disk_errors, 0U);
  w.disk.set_judge(nullptr);
  w.pass(61 * kS);
  EXPECT_EQ(w.spool->stats().segments, 1U) << "the deletion must be retried";
}

TEST(FileSpool, RejectsASecondSpoolOnTheSameFolder) {
  SpoolWorld w;
  ASSERT_TRUE(w.start());
  Teller teller;
  FileSpoolOptions options = w.options;
  options.incarnation = incarnation(9);
  FileSpool second(w.disk, w.timers, w.worker, teller, options);
  const Status opened = second.open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), Code::kAborted);
  EXPECT_NE(opened.error().message().find("spool /spool is in use by process"), std::string::npos);
}

TEST(FileSpool, RetriesAFolderThatCannotBeUsed) {
  for (const DiskOp op : {DiskOp::kFolder, DiskOp::kLock, DiskOp::kList, DiskOp::kCreate}) {
    SpoolWorld w;
    w.disk.set_judge(
        [op](const DiskCall& call) { return call.op == op ? std::optional(DiskFault::kIo) : std::nullopt; });
    ASSERT_TRUE(w.start());
    w.append_many(20);
    EXPECT_FALSE(w.spool->stats().on_disk);
    EXPECT_EQ(w.spool->stats().memory_batches, 20U);
    EXPECT_EQ(sequences({w.send()->key}), (std::vector<uint64_t>{5}));
    w.disk.set_judge(nullptr);
    w.pass(61 * kS);
    EXPECT_TRUE(w.spool->stats().on_disk);
    EXPECT_EQ(w.spool->stats().memory_batches, 0U);
    w.kill();
    ASSERT_TRUE(w.start());
    EXPECT_EQ(sequences(w.drain()), from_to(1, 20)) << to_string(op);
  }
}

TEST(FileSpool, WaitsInMemoryWhileTheDiskIsFull) {
  SpoolWorld w(16 << 20);
  ASSERT_TRUE(w.start());
  w.disk.set_capacity(w.disk.used() + 100'000);
  w.append_many(500, 1'000);
  EXPECT_FALSE(w.spool->stats().on_disk);
  EXPECT_GT(w.spool->stats().memory_batches, 300U);
  EXPECT_EQ(w.teller->lost_batches(), 0U);
  for (int i = 0; i < 100; ++i) w.spool->acknowledged(w.send()->id);
  w.disk.set_capacity(UINT64_MAX);
  w.pass(61 * kS);
  EXPECT_EQ(w.spool->stats().memory_batches, 0U);
  w.append_many(5);
  w.kill();
  ASSERT_TRUE(w.start());
  EXPECT_EQ(w.spool->batches(), 405U);
  EXPECT_EQ(w.drain().size(), 405U);
  EXPECT_EQ(w.teller->lost_batches(), 0U);
}

TEST(FileSpool, BoundsMemoryWhileTheDiskIsFull) {
  SpoolWorld w(16 << 20);
  w.options.memory_bytes = 100'000;
  ASSERT_TRUE(w.start());
  w.disk.set_capacity(w.disk.used());
  w.append_many(500, 1'000);
  EXPECT_LE(w.spool->stats().memory_batches, 100U);
  EXPECT_EQ(w.spool->batches() + w.teller->lost_batches("full"), 500U);
  const uint64_t waiting = w.spool->batches();
  EXPECT_EQ(w.drain().size(), waiting);
}

TEST(FileSpool, RewritesBatchesElsewhereAfterAFailedSync) {
  for (const SpoolSync mode : {SpoolSync::kBatch, SpoolSync::k100Ms}) {
    SpoolWorld w;
    w.options.sync = mode;
    w.settle_at_once = mode == SpoolSync::kBatch;
    ASSERT_TRUE(w.start());
    w.worker.run_all();
    w.append_many(3);
    w.pass(kS);
    // The kernel drops the pages of 4 and 5, and reports it once.
    bool failed = false;
    w.disk.set_judge([&failed](const DiskCall& call) {
      const bool now = !failed && call.op == DiskOp::kSync && call.path.ends_with(".seg");
      failed = failed || now;
      return now ? std::optional(DiskFault::kIo) : std::nullopt;
    });
    w.append_many(2);
    w.pass(200 * kNanosPerMilli);
    EXPECT_FALSE(w.spool->stats().on_disk);
    w.disk.set_judge(nullptr);
    w.pass(61 * kS);
    w.pass(kS);
    EXPECT_TRUE(w.spool->stats().on_disk);
    EXPECT_EQ(w.spool->stats().segments, 2U);
    SeededRandom random(1);
    for (int i = 0; i < 5; ++i) (void)random.next();
    w.lose_power(random);
    ASSERT_TRUE(w.start());
    w.worker.run_all();
    auto got = sequences(w.drain());
    std::sort(got.begin(), got.end());
    EXPECT_EQ(got, from_to(1, 5));
    EXPECT_EQ(w.teller->lost_batches(), 0U);
  }
}

TEST(FileSpool, SyncsWhatAKilledRunDidNotSync) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SpoolWorld w;
    ASSERT_TRUE(w.start());
    w.append_many(5);
    w.kill();
    ASSERT_TRUE(w.start());
    w.pass(kNanosPerMilli);
    EXPECT_GE(w.spool->stats().syncs, 1U);
    SeededRandom random(seed);
    w.lose_power(random);
    ASSERT_TRUE(w.start());
    auto got = sequences(w.drain());
    std::sort(got.begin(), got.end());
    EXPECT_EQ(got, from_to(1, 5)) << seed;
    EXPECT_EQ(w.teller->lost_batches(), 0U) << seed;
  }
}

TEST(FileSpool, SendsBatchesThatCannotBeSyncedAtAStart) {
  SpoolWorld w;
  ASSERT_TRUE(w.start());
  w.append_many(5);
  w.kill();
  w.settle_at_once = false;
  ASSERT_TRUE(w.start());
  w.disk.set_judge([](const monitor::testing::DiskCall& call) -> std::optional<monitor::testing::DiskFault> {
    if (call.op != monitor::testing::DiskOp::kSync) return std::nullopt;
    return monitor::testing::DiskFault::kIo;
  });
  w.pass(kNanosPerMilli);
  EXPECT_GE(w.spool->stats().disk_errors, 1U);
  EXPECT_EQ(w.drain().size(), 5U);
}

TEST(FileSpool, BatchModeSendsOnlySyncedBatches) {
  SpoolWorld w;
  w.options.sync = SpoolSync::kBatch;
  ASSERT_TRUE(w.start());
  w.settle_at_once = false;
  int woken = 0;
  w.spool->set_wake([&] { ++woken; });
  w.append_many(30);
  EXPECT_FALSE(w.send());
  EXPECT_TRUE(w.spool->has_unsent());
  w.worker.run_all();
  EXPECT_GE(woken, 1);
  EXPECT_EQ(w.send_all().size(), 30U);
}

TEST(FileSpool, DoesNotSyncBatchesThatAreAcknowledgedInTime) {
  SpoolWorld w;
  ASSERT_TRUE(w.start());
  const uint64_t before = w.spool->stats().syncs;
  for (int i = 0; i < 100; ++i) {
    w.append();
    (void)w.drain();
    w.pass(kS);
  }
  EXPECT_EQ(w.spool->stats().syncs, before);
}

TEST(FileSpool, DropsBatchesOlderThanAWeek) {
  SpoolWorld w;
  ASSERT_TRUE(w.start());
  w.append_many(10);
  w.kill();
  w.timers.advance(int64_t{6} * 24 * 3600 * kS);
  ASSERT_TRUE(w.start());
  w.append_many(5);
  w.kill();
  w.timers.advance(int64_t{2} * 24 * 3600 * kS);
  ASSERT_TRUE(w.start());
  const auto order = w.drain();
  EXPECT_EQ(order.size(), 5U);
  EXPECT_EQ(w.teller->lost_batches("too_old"), 10U);
  EXPECT_EQ(w.teller->lost_batches(), 10U);
}

TEST(FileSpool, ClockThatIsWrongForAMinuteDropsNothing) {
  for (const auto start : {TrustedClock::Start::kTrust, TrustedClock::Start::kUnknown}) {
    SpoolWorld w;
    w.options.clock_start = start;
    ASSERT_TRUE(w.start());
    w.append_many(10);
    w.timers.fake_clock().step_wall(int64_t{30} * 24 * 3600 * kS);
    for (int i = 0; i < 6; ++i) {
      w.append();
      w.pass(10 * kS);
    }
    EXPECT_EQ(w.drain().size(), 16U);
    EXPECT_EQ(w.teller->lost_batches(), 0U);
  }
}

TEST(FileSpool, StartWithAClockThatIsAheadDropsNothing) {
  SpoolWorld w;
  ASSERT_TRUE(w.start());
  w.append_many(10);
  w.kill();
  w.timers.fake_clock().step_wall(int64_t{30} * 24 * 3600 * kS);
  w.options.clock_start = TrustedClock::Start::kUnknown;
  ASSERT_TRUE(w.start());
  EXPECT_EQ(w.drain().size(), 10U);
  EXPECT_EQ(w.teller->lost_batches(), 0U);
}

TEST(FileSpool, LeavesForeignAndNewerFilesAlone) {
  SpoolWorld w;
  w.disk.put("/spool/README", "hello");
  w.disk.put("/spool/0000000000000007.seg", std::string(100'000, 'x'));
  std::string newer = encode_segment_header({9, incarnation(8), 1});
  newer[8] = 2;
  newer.resize(60);
  little_endian::put32(newer, crc32c(newer));
  w.disk.put("/spool/0000000000000009.seg", newer + "content of a newer format");
  const auto before = w.disk.contents();
  ASSERT_TRUE(w.start());
  EXPECT_EQ(w.spool->stats().foreign_files, 3U);
  w.append_many(3);
  EXPECT_EQ(w.drain().size(), 3U);
  w.stop();
  for (const auto& [path, content] : before) EXPECT_EQ(w.disk.contents()[path], content) << path;
  ASSERT_TRUE(w.start());
  w.append();
  EXPECT_TRUE(w.disk.contents().contains("/spool/000000000000000b.seg"))
      << "the number must be above all numbers in use";
}

TEST(FileSpool, ReportsAMissingSegmentAsDamage) {
  SpoolWorld w;
  ASSERT_TRUE(w.start());
  w.append_many(300, 1'000);
  w.stop();
  ASSERT_TRUE(w.disk.remove_file("/spool/0000000000000002.seg"));
  ASSERT_TRUE(w.start());
  const size_t rest = w.drain().size();
  EXPECT_LT(rest, 300U);
  EXPECT_EQ(rest + w.teller->lost_batches("damaged"), 300U);
  ASSERT_EQ(w.teller->to_tell.drops.size(), 1U);
}

TEST(FileSpool, WithoutACheckpointEverythingIsSentAgain) {
  SpoolWorld w;
  ASSERT_TRUE(w.start());
  w.append_many(300, 1'000);
  for (int i = 0; i < 280; ++i) w.spool->acknowledged(w.send()->id);
  w.stop();
  ASSERT_TRUE(w.disk.remove_file("/spool/checkpoint"));
  ASSERT_TRUE(w.start());
  EXPECT_EQ(w.teller->lost_batches(), 0U);
  EXPECT_GE(w.drain().size(), 20U);
}

TEST(FileSpool, ReportsDropsFromMemoryBeforeTheFirstCheckpoint) {
  SpoolWorld w;
  w.options.memory_bytes = 2'000;
  ASSERT_TRUE(w.start());
  w.disk.set_judge([](const DiskCall& call) {
    return call.op == DiskOp::kCreate || call.op == DiskOp::kWrite ? std::optional(DiskFault::kIo) : std::nullopt;
  });
  w.append_many(20, 500);
  const uint64_t dropped = w.teller->lost_batches("full");
  ASSERT_GT(dropped, 0U);
  w.disk.set_judge([](const DiskCall& call) {
    const bool checkpoint = call.path.ends_with("checkpoint");
    return call.op == DiskOp::kWrite && checkpoint ? std::optional(DiskFault::kIo) : std::nullopt;
  });
  w.pass(4 * kNanosPerSecond);
  w.append();
  EXPECT_EQ(w.spool->stats().memory_batches, 0U) << "segments can be written again, but the checkpoint cannot";
  w.kill();
  w.disk.set_judge(nullptr);
  ASSERT_TRUE(w.start());
  EXPECT_EQ(w.teller->lost_batches("damaged"), dropped);
  EXPECT_EQ(w.drain().size() + dropped, 21U);
}

TEST(FileSpool, WaitsForACheckpointThatCannotBeRead) {
  SpoolWorld w;
  ASSERT_TRUE(w.start());
  w.append_many(300, 1'000);
  for (int i = 0; i < 280; ++i) w.spool->acknowledged(w.send()->id);
  w.pass(10 * kNanosPerSecond);
  w.kill();
  w.disk.set_judge([](const DiskCall& call) {
    const bool checkpoint = call.op == DiskOp::kRead && call.path.ends_with("checkpoint");
    return checkpoint ? std::optional(DiskFault::kIo) : std::nullopt;
  });
  ASSERT_TRUE(w.start());
  EXPECT_EQ(w.drain().size(), 0U) << "it is not known yet which batches are resolved";
  w.append();
  EXPECT_EQ(w.drain().size(), 1U) << "a new batch must be sent";
  w.disk.set_judge(nullptr);
  w.pass(2 * kNanosPerSecond);
  EXPECT_EQ(w.drain().size(), 20U);
  EXPECT_EQ(w.teller->lost_batches(), 0U);
}

TEST(FileSpool, LimitsMayChangeWhileItRuns) {
  SpoolWorld w(uint64_t{64} << 20);
  ASSERT_TRUE(w.start());
  w.append_many(4'000, 1'000);
  EXPECT_EQ(w.teller->lost_batches(), 0U);
  w.spool->set_limits(uint64_t{1} << 20, SpoolFull::kDropOldest);
  w.append();
  w.pass(kNanosPerSecond);
  EXPECT_LE(w.spool->bytes(), uint64_t{1} << 20);
  const uint64_t dropped = w.teller->lost_batches("full");
  EXPECT_GT(dropped, 2'000U);
  EXPECT_EQ(w.drain().size() + dropped, 4'001U);
  w.spool->set_limits(uint64_t{64} << 20, SpoolFull::kDropOldest);
  w.append_many(4'000, 1'000);
  EXPECT_EQ(w.teller->lost_batches("full"), dropped);
}

TEST(FileSpool, UnreadableDiskDropsNothing) {
  SpoolWorld w;
  ASSERT_TRUE(w.start());
  w.append_many(100);
  w.kill();
  ASSERT_TRUE(w.start());
  w.disk.set_judge(
      [](const DiskCall& call) { return call.op == DiskOp::kRead ? std::optional(DiskFault::kIo) : std::nullopt; });
  EXPECT_FALSE(w.send());
  w.append();
  EXPECT_EQ(sequences({w.send()->key}), from_to(1, 1)) << "a fresh batch needs no reading";
  w.pass(5 * kS);
  EXPECT_FALSE(w.send());
  w.disk.set_judge(nullptr);
  w.pass(61 * kS);
  EXPECT_EQ(w.drain().size(), 100U);
  EXPECT_EQ(w.teller->lost_batches(), 0U);
}

TEST(FileSpool, PermanentlyUnreadableDiskDoesNotBlockForever) {
  SpoolWorld w;
  ASSERT_TRUE(w.start());
  w.append_many(100);
  w.kill();
  ASSERT_TRUE(w.start());
  w.disk.set_judge(
      [](const DiskCall& call) { return call.op == DiskOp::kRead ? std::optional(DiskFault::kIo) : std::nullopt; });
  for (int i = 0; i < 15; ++i) {
    EXPECT_FALSE(w.send());
    w.pass(61 * kS);
  }
  EXPECT_EQ(w.teller->lost_batches("damaged"), 100U);
  EXPECT_FALSE(w.spool->has_unsent());
}

// The folder must be synced before the incarnation is forgotten.
TEST(FileSpool, PowerLossDoesNotRestoreADeletedRun) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SeededRandom random(seed);
    SpoolWorld w;
    ASSERT_TRUE(w.start());
    w.append_many(5);
    w.drain();
    w.stop();
    ASSERT_TRUE(w.start());
    w.pass(20 * kNanosPerSecond);
    w.append_many(5);
    w.drain();
    w.pass(20 * kNanosPerSecond);
    w.lose_power(random);
    ASSERT_TRUE(w.start());
    for (const auto& end : w.teller->to_tell.ended) {
      EXPECT_TRUE(end.clean || end.incarnation != incarnation(1)) << seed;
    }
    EXPECT_EQ(w.teller->lost({incarnation(1), 1}), 0U) << seed;
  }
}

}  // namespace
}  // namespace monitor::agent
