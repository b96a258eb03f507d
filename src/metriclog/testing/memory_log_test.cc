#include "metriclog/testing/memory_log.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "base/testing/fake_clock.h"
#include "metriclog/testing/log_contract.h"

namespace monitor::metriclog {
namespace {

class MemoryFixture final : public LogFixture {
 public:
  LogWriter& writer() override { return log_.writer(); }
  std::unique_ptr<LogReader> reader(const ReaderOptions& options) override { return log_.reader(options); }
  void advance(int64_t ns) override { clock_.advance(ns); }
  int64_t now_ns() override { return clock_.wall_ns(); }
  void take_first(int64_t count) override { log_.take_before(0, count + 1); }
  size_t max_record_bytes() const override { return MemoryLogOptions().max_record_bytes; }

 private:
  FakeClock clock_;
  MemoryLog log_{clock_};
};

INSTANTIATE_TEST_SUITE_P(Memory, MetricLogContract,
                         ::testing::Values([] { return std::unique_ptr<LogFixture>(new MemoryFixture()); }));

class MemoryLogFaults : public ::testing::Test {
 protected:
  LogWriter::Accepted append(uint64_t token) { return log_.writer().append({"k", {}, "v"}, deliveries_, token); }

  FakeClock clock_;
  MemoryLog log_{clock_, {.partitions = 1, .max_pending_records = 4}};
  Deliveries deliveries_;
};

TEST_F(MemoryLogFaults, HeldRecordsAreNeitherStoredNorReportedUntilDelivered) {
  log_.hold_deliveries();
  append(1);
  append(2);
  EXPECT_EQ(log_.end_offset(0), 1);
  EXPECT_FALSE(log_.writer().flush(0));
  EXPECT_EQ(log_.deliver(1), 1U);
  ASSERT_EQ(deliveries_.all().size(), 1U);
  EXPECT_EQ(deliveries_.all()[0].token, 1U);
  EXPECT_EQ(log_.end_offset(0), 2);
  log_.release_deliveries();
  EXPECT_TRUE(log_.writer().flush(0));
}

TEST_F(MemoryLogFaults, IsFullOnRequestAndIfTooMuchIsHeld) {
  log_.set_full(true);
  EXPECT_EQ(append(1), LogWriter::Accepted::kFull);
  log_.set_full(false);
  log_.hold_deliveries();
  for (uint64_t i = 1; i <= 4; ++i) EXPECT_EQ(append(i), LogWriter::Accepted::kYes);
  EXPECT_EQ(append(5), LogWriter::Accepted::kFull);
}

TEST_F(MemoryLogFaults, ReorderedDeliveriesReportEveryRecord) {
  log_.hold_deliveries();
  for (uint64_t i = 1; i <= 4; ++i) append(i);
  SeededRandom random(3);
  EXPECT_EQ(log_.deliver_reordered(random), 4U);
  std::vector<uint64_t> tokens;
  for (const Delivery& delivery : deliveries_.all()) tokens.push_back(delivery.token);
  EXPECT_FALSE(std::ranges::is_sorted(tokens));
  std::ranges::sort(tokens);
  EXPECT_EQ(tokens, (std::vector<uint64_t>{1, 2, 3, 4}));
}

TEST_F(MemoryLogFaults, LostDeliveriesCauseAReset) {
  log_.hold_deliveries();
  append(1);
  EXPECT_EQ(log_.lose_deliveries(true), 1U);
  EXPECT_EQ(deliveries_.resets(), 1);
  EXPECT_TRUE(deliveries_.all().empty());
  EXPECT_EQ(log_.records(0).size(), 1U);
}

TEST_F(MemoryLogFaults, RefusesRecordsOnRequest) {
  log_.refuse_next(1, Outcome::kRejected, "odd");
  append(1);
  append(2);
  ASSERT_EQ(deliveries_.all().size(), 2U);
  EXPECT_EQ(deliveries_.all()[0].outcome, Outcome::kRejected);
  EXPECT_EQ(deliveries_.all()[1].outcome, Outcome::kStored);
  log_.set_trouble("disk full");
  append(3);
  EXPECT_EQ(deliveries_.all()[2].outcome, Outcome::kRetry);
  EXPECT_EQ(log_.writer().trouble(), "disk full");
}

TEST_F(MemoryLogFaults, JoiningMemberGetsItsShareOfThePartitions) {
  MemoryLog log(clock_, {.partitions = 2});
  const auto one = log.reader({.group = "g"});
  auto events = one->poll(0);
  ASSERT_TRUE(events.ok());
  ASSERT_EQ(events->size(), 1U);
  EXPECT_EQ((*events)[0].assigned.size(), 2U);
  const auto two = log.reader({.group = "g"});
  events = one->poll(0);
  ASSERT_EQ(events->size(), 1U);
  EXPECT_EQ((*events)[0].revoked, std::vector<int32_t>{1});
  events = two->poll(0);
  ASSERT_EQ(events->size(), 1U);
  EXPECT_EQ((*events)[0].assigned[0].partition, 1);
}

TEST_F(MemoryLogFaults, ReassignsAPartitionThatAnotherMemberHeldMeanwhile) {
  MemoryLog log(clock_, {.partitions = 2});
  const auto one = log.reader({.group = "g"});
  ASSERT_TRUE(one->poll(0).ok());
  {
    const auto two = log.reader({.group = "g"});
    ASSERT_TRUE(two->poll(0).ok());
    const Snapshot snapshot{.partition = 1, .next_offset = 7, .state = "two's"};
    ASSERT_TRUE(two->store({&snapshot, 1}).ok());
  }
  const Snapshot stale{.partition = 1, .next_offset = 3, .state = "one's"};
  ASSERT_TRUE(one->store({&stale, 1}).ok());
  const auto events = one->poll(0);
  ASSERT_EQ(events->size(), 2U);
  EXPECT_EQ((*events)[0].revoked, std::vector<int32_t>{1});
  ASSERT_EQ((*events)[1].assigned.size(), 1U);
  EXPECT_EQ((*events)[1].assigned[0].state, "two's");
}

}  // namespace
}  // namespace monitor::metriclog
