#include "ui/top/totals.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace monitor::analysis::top {
namespace {

constexpr int64_t kNow = int64_t{1'700'000'000} * kNanosPerSecond;

LiveAgent agent(double cpu, double read, int64_t end_ns, int ticks) {
  LiveAgent made;
  made.values = {
      {{.name = "system.cpu.utilization", .labels = {}, .unit = "1"}, cpu, end_ns},
      {{.name = "system.disk.io.rate", .labels = {{"disk.io.direction", "read"}}, .unit = "By/s"}, read, end_ns}};
  for (int i = ticks - 1; i >= 0; --i)
    made.past.note(end_ns - i * Past::kStep, {cpu, std::nullopt, read}, static_cast<uint64_t>(ticks - i));
  return made;
}

TEST(Totals, AreMeansOfSharesAndSumsOfRates) {
  const LiveAgent first = agent(0.2, 100, kNow, 10);
  const LiveAgent second = agent(0.6, 300, kNow - 2 * Past::kStep, 3);
  const std::vector<const LiveAgent*> both = {&first, &second};
  const Totals totals = totals_of(both);
  EXPECT_DOUBLE_EQ(*totals.figures[0], 0.4);
  EXPECT_DOUBLE_EQ(*totals.figures[2], 400);
  EXPECT_FALSE(totals.figures[1]);
  const auto& reads = totals.past[2];
  ASSERT_EQ(reads.size(), Past::kSteps);
  EXPECT_FLOAT_EQ(reads[59], 400) << "the second agent's last value counts";
  EXPECT_FLOAT_EQ(reads[55], 400);
  EXPECT_FLOAT_EQ(reads[54], 100) << "before the second agent's first value";
  EXPECT_TRUE(std::isnan(reads[49]));
  EXPECT_FLOAT_EQ(totals.past[0][59], 0.4F);
  EXPECT_FLOAT_EQ(totals.past[0][54], 0.2F);
  EXPECT_FALSE(totals_of({}).figures[0]) << "no agents have no totals";
}

}  // namespace
}  // namespace monitor::analysis::top
