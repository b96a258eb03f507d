// The contract of every spool, wherever it stores batches.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/testing/fake_clock.h"
#include "base/testing/manual_worker.h"
#include "spool/memory_spool.h"
#include "spool/testing/spool_world.h"

namespace monitor::agent {
namespace {

constexpr size_t kRoom = size_t{1} << 20;

struct Made {
  virtual ~Made() = default;
  virtual Spool& spool() = 0;
  virtual void work() {}
  Teller teller;
  FakeTimers timers;
};

struct InMemory final : Made {
  explicit InMemory(SpoolFull full) : made(teller, timers.clock(), kRoom, full) {}
  Spool& spool() override { return made; }
  MemorySpool made;
};

struct InFiles final : Made {
  explicit InFiles(SpoolFull full) : made(disk, timers, worker, teller, options(full)) {
    EXPECT_TRUE(made.open());
    worker.run_all();
  }
  static FileSpoolOptions options(SpoolFull full) {
    FileSpoolOptions options;
    options.folder = "/spool";
    options.incarnation = incarnation(1);
    options.max_bytes = kRoom;
    options.full = full;
    return options;
  }
  Spool& spool() override { return made; }
  void work() override { worker.run_all(); }
  monitor::testing::FaultDisk disk;
  ManualWorker worker;
  FileSpool made;
};

enum class Kind { kMemory, kFiles };

class SpoolContract : public ::testing::TestWithParam<Kind> {
 protected:
  void make(SpoolFull full = SpoolFull::kDropOldest) {
    if (GetParam() == Kind::kMemory) {
      made_ = std::make_unique<InMemory>(full);
    } else {
      made_ = std::make_unique<InFiles>(full);
    }
  }
  Spool& spool() { return made_->spool(); }
  Teller& teller() { return made_->teller; }

  bool append(size_t bytes = 300) {
    BatchInfo info;
    info.incarnation = incarnation(1);
    info.sequence = next_++;
    info.ticks = 1;
    info.points = 2;
    info.appended_ns = info.first_time_ns = info.last_time_ns = made_->timers.clock().wall_ns();
    std::string bytes_of = payload_of(info.incarnation, info.sequence, bytes);
    const bool taken = spool().append(std::move(info), std::move(bytes_of)).ok();
    made_->work();
    return taken;
  }
  // Returns sequence and id.
  std::optional<std::pair<uint64_t, uint64_t>> send() {
    const auto outgoing = spool().next();
    if (!outgoing) return std::nullopt;
    const uint64_t sequence = std::stoull(std::string(outgoing->bytes.substr(metrics::kIncarnationBytes + 1, 20)));
    EXPECT_EQ(outgoing->bytes, payload_of(incarnation(1), sequence, outgoing->bytes.size()));
    return std::pair{sequence, outgoing->id};
  }

  std::unique_ptr<Made> made_;
  uint64_t next_ = 1;
};

TEST_P(SpoolContract, GivesEachBatchOnceAndForgetsItWhenAcknowledged) {
  make();
  EXPECT_FALSE(spool().has_unsent());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(append());
  EXPECT_EQ(spool().batches(), 3U);
  EXPECT_EQ(spool().first_unacked(incarnation(1), next_), 1U);
  for (uint64_t sequence = 1; sequence <= 3; ++sequence) {
    EXPECT_TRUE(spool().has_unsent());
    const auto sent = send();
    ASSERT_TRUE(sent);
    EXPECT_EQ(sent->first, sequence);
    spool().acknowledged(sent->second);
    spool().acknowledged(sent->second);
    EXPECT_EQ(spool().first_unacked(incarnation(1), next_), sequence + 1);
  }
  EXPECT_FALSE(send());
  EXPECT_FALSE(spool().has_unsent());
  EXPECT_EQ(spool().batches(), 0U);
  EXPECT_EQ(spool().oldest_time_ns(), 0);
  EXPECT_EQ(teller().stored.size(), 3U);
  EXPECT_EQ(teller().lost_batches(), 0U);
}

TEST_P(SpoolContract, GivesReturnedBatchesAgain) {
  make();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(append());
  std::vector<uint64_t> ids;
  while (const auto sent = send()) ids.push_back(sent->second);
  ASSERT_EQ(ids.size(), 3U);
  spool().acknowledged(ids[0]);
  for (const size_t i : {2, 1}) spool().returned(ids[i]);
  EXPECT_TRUE(spool().has_unsent());
  ASSERT_TRUE(append());
  std::vector<uint64_t> order;
  while (const auto sent = send()) {
    order.push_back(sent->first);
    spool().acknowledged(sent->second);
  }
  EXPECT_EQ(order, (std::vector<uint64_t>{4, 2, 3})) << "fresh batches come first, then the oldest";
}

TEST_P(SpoolContract, ReportsARejectedBatchAsLostWithTheStageThatRejectedIt) {
  make();
  ASSERT_TRUE(append());
  ASSERT_TRUE(append());
  spool().rejected(send()->second, stream::RejectedBy::kServer, "no");
  spool().rejected(send()->second, stream::RejectedBy::kOutput, "too_large: 3 bytes, limit 2");
  EXPECT_EQ(spool().batches(), 0U);
  const auto& drops = teller().to_tell.drops;
  ASSERT_EQ(drops.size(), 2U);
  EXPECT_EQ(drops[0].stage, "server");
  EXPECT_EQ(drops[0].reason, "invalid");
  EXPECT_EQ(drops[0].points, 2U);
  EXPECT_EQ(drops[1].stage, "uplink");
  EXPECT_EQ(drops[1].reason, "too_large");
  EXPECT_EQ(drops[1].first_sequence, drops[0].first_sequence + 1);
}

TEST_P(SpoolContract, SendsFreshBatchesBeforeOldOnes) {
  make();
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(append());
  std::vector<uint64_t> order;
  for (int i = 0; i < 400; ++i) {
    if (i % 10 == 5) {
      ASSERT_TRUE(append());
    }
    const auto sent = send();
    if (!sent) break;
    if (i % 10 == 5 && i > 20) {  // the last 16 of the waiting ones count as fresh as well
      EXPECT_EQ(sent->first, next_ - 1);
    }
    order.push_back(sent->first);
    spool().acknowledged(sent->second);
  }
  EXPECT_EQ(order.size(), next_ - 1);
  std::sort(order.begin(), order.end());
  for (size_t i = 0; i < order.size(); ++i) ASSERT_EQ(order[i], i + 1) << "each batch must come once";
}

TEST_P(SpoolContract, DropsTheOldestWithARecordWhenFull) {
  make();
  for (int i = 0; i < 2000; ++i) ASSERT_TRUE(append(2'000));
  EXPECT_LE(spool().bytes(), kRoom);
  EXPECT_GT(spool().batches(), 300U);
  EXPECT_EQ(spool().batches() + teller().lost_batches("full"), 2000U);
  const uint64_t first = spool().first_unacked(incarnation(1), next_);
  EXPECT_EQ(first, teller().lost_batches() + 1);
  uint64_t points = 0;
  for (const auto& drop : teller().to_tell.drops) points += drop.points;
  EXPECT_EQ(points, 2 * teller().lost_batches());
  size_t rest = 0;
  while (const auto sent = send()) {
    EXPECT_GE(sent->first, first);
    spool().acknowledged(sent->second);
    ++rest;
  }
  EXPECT_EQ(rest, 2000 - teller().lost_batches());
}

TEST_P(SpoolContract, DropsTheNewestIfConfigured) {
  make(SpoolFull::kDropNewest);
  int taken = 0;
  for (int i = 0; i < 2000; ++i) taken += append(2'000) ? 1 : 0;
  EXPECT_GT(taken, 300);
  EXPECT_EQ(teller().lost_batches("full"), 2000U - static_cast<unsigned>(taken));
  EXPECT_EQ(spool().first_unacked(incarnation(1), next_), 1U);
  const auto sent = send();
  EXPECT_LE(sent->first, static_cast<uint64_t>(taken));
}

TEST_P(SpoolContract, RejectsABatchLargerThanTheSpool) {
  make();
  ASSERT_TRUE(append());
  EXPECT_FALSE(append(kRoom + 1));
  EXPECT_EQ(teller().lost({incarnation(1), 2}), 1U);
  EXPECT_EQ(spool().first_unacked(incarnation(1), next_), send() ? 1U : next_);
}

TEST_P(SpoolContract, DropsInFlightBatchesWithoutGivingThemAgain) {
  make();
  ASSERT_TRUE(append(2'000));
  const auto sent = send();
  for (int i = 0; i < 2000; ++i) ASSERT_TRUE(append(2'000));
  EXPECT_EQ(teller().lost({incarnation(1), 1}), 1U);
  spool().returned(sent->second);
  spool().acknowledged(sent->second);
  EXPECT_FALSE(teller().stored.contains({incarnation(1), 1}));
}

TEST_P(SpoolContract, SlowAcknowledgementsDelayTheBacklogButNotFreshBatches) {
  make();
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(append(900));
  uint64_t under_way = 0;
  std::vector<uint64_t> ids;
  const auto fill = [&] {
    while (const auto sent = send()) ids.push_back(sent->second);
    under_way = ids.size();
  };
  fill();
  const uint64_t at_first = under_way;
  EXPECT_LT(at_first, 200U) << "not everything may be sent at once";
  for (int round = 0; round < 6; ++round) {
    made_->timers.advance(3 * kNanosPerSecond);
    for (const uint64_t id : std::exchange(ids, {})) spool().acknowledged(id);
    fill();
  }
  EXPECT_LE(under_way * 900, ReplayPacer::kLeast + 900);
  ASSERT_TRUE(append());
  const auto fresh = send();
  ASSERT_TRUE(fresh) << "a fresh batch must be sent at once, whatever is in flight";
  EXPECT_EQ(fresh->first, next_ - 1);
  for (int round = 0; round < 12; ++round) {
    for (const uint64_t id : std::exchange(ids, {})) spool().acknowledged(id);
    fill();
  }
  EXPECT_EQ(spool().batches(), ids.size() + 1)
      << "fast acknowledgements must speed it up again until everything is sent";
}

INSTANTIATE_TEST_SUITE_P(All, SpoolContract, ::testing::Values(Kind::kMemory, Kind::kFiles),
                         [](const auto& kind) { return kind.param == Kind::kMemory ? "Memory" : "Files"; });

}  // namespace
}  // namespace monitor::agent
