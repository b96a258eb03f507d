#include "metrics/resource.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "metrics/host_figures.h"

namespace monitor::metrics {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

Batch batch_of(std::vector<Labels> labels) {
  Batch batch;
  batch.resource = {{"rack", "r12"}, {"site", "eu-1"}};
  for (Labels& one : labels) batch.series.push_back({.name = "m", .labels = std::move(one)});
  return batch;
}

TEST(Resource, BecomesALabelOfEverySeriesInOrder) {
  Batch batch = batch_of({{}, {{"a", "1"}, {"s", "2"}, {"z", "3"}}});
  carry_resource(batch);
  EXPECT_THAT(batch.series[0].labels, ElementsAre(Pair("rack", "r12"), Pair("site", "eu-1")));
  EXPECT_EQ(to_string(batch.series[1]), "m{a=1,rack=r12,s=2,site=eu-1,z=3}");
  EXPECT_EQ(batch.resource.size(), 2U);
}

TEST(Resource, ASeriesOwnLabelWins) {
  Batch batch = batch_of({{{"rack", "own"}}});
  carry_resource(batch);
  EXPECT_EQ(to_string(batch.series[0]), "m{rack=own,site=eu-1}");
}

TEST(Resource, NeverMergesTwoSeries) {
  for (const bool own_first : {false, true}) {
    Batch batch = batch_of({{}, {{"rack", "r12"}}, {{"rack", "r13"}}});
    if (own_first) std::swap(batch.series[0], batch.series[1]);
    carry_resource(batch);
    EXPECT_EQ(to_string(batch.series[own_first ? 1 : 0]), "m{resource.rack=r12,resource.site=eu-1}");
    EXPECT_EQ(to_string(batch.series[own_first ? 0 : 1]), "m{rack=r12,site=eu-1}");
    EXPECT_EQ(to_string(batch.series[2]), "m{rack=r13,site=eu-1}");
  }
}

TEST(Resource, FigureOfTheHostStaysOneOfTheHost) {
  Batch batch = batch_of({{}, {{"cpu.logical_number", "0"}}});
  batch.resource = {{"cpu.logical_number", "9"}, {"system.memory.state", "full"}};
  batch.series[0].name = kCpu.name;
  carry_resource(batch);
  EXPECT_TRUE(kCpu.matches(batch.series[0]));
  EXPECT_THAT(batch.series[0].labels,
              ElementsAre(Pair("resource.cpu.logical_number", "9"), Pair("resource.system.memory.state", "full")));
  EXPECT_THAT(batch.series[1].labels,
              ElementsAre(Pair("cpu.logical_number", "0"), Pair("resource.system.memory.state", "full")));
}

}  // namespace
}  // namespace monitor::metrics
