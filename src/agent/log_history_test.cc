#include "agent/log_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace monitor::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string run(char name) { return std::string(metrics::kIncarnationBytes, name); }

SettledSequences settled(char incarnation, std::initializer_list<std::pair<uint64_t, uint64_t>> ranges) {
  SettledSequences result{run(incarnation), {}};
  for (const auto& [first, last] : ranges) result.sequences.add(first, last);
  return result;
}

// Formatted as "x 1-3 in sqlite:a".
std::vector<std::string> texts(const std::vector<metrics::Elsewhere>& all) {
  std::vector<std::string> result;
  result.reserve(all.size());
  for (const metrics::Elsewhere& one : all) {
    result.push_back(one.incarnation.substr(0, 1) + " " + std::to_string(one.first_sequence) + "-" +
                     std::to_string(one.last_sequence) + " in " + one.log);
  }
  return result;
}

class LogHistoryTest : public ::testing::Test {
 protected:
  bool named(std::string_view log, std::vector<SettledSequences> all = {}) {
    return history_.named(log, [&] { return all; });
  }

  LogHistory history_{run('x')};
};

TEST_F(LogHistoryTest, CarriesNothingWhileTheLogStaysTheSame) {
  EXPECT_TRUE(named("a"));
  EXPECT_FALSE(named("a", {settled('x', {{1, 5}})}));
  EXPECT_THAT(history_.carry(6), IsEmpty());
  EXPECT_THAT(history_.records(), IsEmpty());
}

TEST_F(LogHistoryTest, CarriesTheReportUntilItIsAcknowledged) {
  named("a");
  named("b", {settled('x', {{1, 5}})});
  EXPECT_THAT(texts(history_.carry(8)), ElementsAre("x 1-5 in a"));
  history_.carried(7);  // this batch was created before the change
  EXPECT_THAT(texts(history_.carry(9)), ElementsAre("x 1-5 in a"));
  history_.carried(8);
  EXPECT_THAT(history_.carry(10), IsEmpty());
}

TEST_F(LogHistoryTest, AttributesEachSequenceToTheLogOfItsTime) {
  named("a");
  named("b", {settled('x', {{1, 3}, {5, 5}})});
  named("a", {settled('x', {{1, 7}})});
  EXPECT_THAT(texts(history_.carry(9)), ElementsAre("x 4-4 in b", "x 6-7 in b"))
      << "log a has the other sequences itself";
  named("c", {settled('x', {{1, 9}})});
  EXPECT_THAT(texts(history_.carry(12)),
              ElementsAre("x 1-3 in a", "x 5-5 in a", "x 8-9 in a", "x 4-4 in b", "x 6-7 in b"));
}

TEST_F(LogHistoryTest, ReportsAgainWhenTheServerReturnsToALog) {
  named("a");
  named("b", {settled('x', {{1, 3}})});
  (void)history_.carry(4);
  history_.carried(4);
  named("c", {settled('x', {{1, 5}})});
  EXPECT_THAT(texts(history_.carry(7)), ElementsAre("x 1-3 in a", "x 4-5 in b"));
}

TEST_F(LogHistoryTest, ReportsNothingForAnUnnamedLog) {
  named("a");
  named("", {settled('x', {{1, 3}})});
  named("b", {settled('x', {{1, 6}})});
  EXPECT_THAT(texts(history_.carry(8)), ElementsAre("x 1-3 in a")) << "4 to 6 may be in b, or lost";
}

TEST_F(LogHistoryTest, AttributesEarlierRunsToTheirLastLog) {
  history_.restore({.drops = {}, .ended = {}, .log = "a", .elsewhere = {{run('o'), "z", 1, 2}}},
                   {settled('o', {{1, 6}}), settled('p', {{1, 9}})});
  EXPECT_EQ(history_.log(), "a");
  EXPECT_THAT(texts(history_.carry(1)), ElementsAre("o 1-2 in z"));
  EXPECT_FALSE(named("a"));
  EXPECT_TRUE(named("b"));
  EXPECT_THAT(texts(history_.carry(2)), ElementsAre("o 1-2 in z", "o 3-6 in a", "p 1-9 in a"));
}

TEST_F(LogHistoryTest, LateSpoolDoesNotOverrideTheServer) {
  named("b");
  history_.restore({.drops = {}, .ended = {}, .log = "a", .elsewhere = {}}, {settled('o', {{1, 6}})});
  EXPECT_EQ(history_.log(), "b");
  EXPECT_THAT(texts(history_.carry(3)), ElementsAre("o 1-6 in a"));
}

TEST_F(LogHistoryTest, IsBoundedAndNeverAttributesForgottenRangesToAnotherLog) {
  named("a");
  SettledSequences scattered = settled('x', {});
  for (uint64_t i = 0; i <= LogHistory::kMaxRanges; ++i) scattered.sequences.add(2 * i + 1);
  named("b", {settled('o', {{1, 4}}), scattered});
  EXPECT_LE(history_.records().size(), LogHistory::kMaxRanges);
  EXPECT_THAT(history_.carry(200), IsEmpty());
  const uint64_t last = scattered.sequences.last();
  scattered.sequences.add(1, last + 2);
  named("c", {scattered});
  EXPECT_THAT(texts(history_.carry(201)),
              ElementsAre("x " + std::to_string(last + 1) + "-" + std::to_string(last + 2) + " in b"));
}

}  // namespace
}  // namespace monitor::agent
