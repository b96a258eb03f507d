#include "ui/web/message_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "metrics/json_form.h"
#include "ui/web/testing/fake_log.h"

namespace monitor::analysis::web {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Order = MessageSearch::Order;

// "partition:offset" of each.
std::vector<std::string> places(const FoundMessages& found) {
  std::vector<std::string> list;
  for (const auto& record : found.records)
    list.push_back(std::to_string(record.partition) + ":" + std::to_string(record.offset));
  return list;
}

class MessageSearchTest : public ::testing::Test {
 protected:
  FoundMessages search(const MessageSearch& wanted) {
    log_.scanned.clear();
    auto found = search_messages(log_, wanted);
    EXPECT_TRUE(found) << found.error().message();
    return found ? std::move(*found) : FoundMessages();
  }
  // Goes on until nothing is left; checks that nothing comes twice.
  std::vector<std::string> all(MessageSearch wanted, int& answers) {
    std::vector<std::string> list;
    std::set<std::string> seen;
    for (answers = 1; answers < 200; ++answers) {
      const FoundMessages found = search(wanted);
      for (const std::string& place : places(found)) {
        EXPECT_TRUE(seen.insert(place).second) << place << " came twice";
        list.push_back(place);
      }
      if (found.left == 0) return list;
      wanted.cursor = found.cursor;
    }
    ADD_FAILURE() << "the search does not end";
    return list;
  }

  FakeLog log_;
};

TEST_F(MessageSearchTest, ReadsOnlyThePartitionOfAnAgent) {
  log_.fill({10, 10, 9000, 10}, [](int32_t partition, int64_t offset) {
    return (offset == 3 ? "agent-" : "other-") + std::to_string(partition);
  });
  EXPECT_THAT(places(search({.agent = "agent-1"})), ElementsAre("1:3"));
  EXPECT_THAT(log_.scanned, ElementsAre(1));
  EXPECT_EQ(search({.agent = "agent-?"}).records.size(), 3U) << "a pattern may match in any partition";
  EXPECT_THAT(search({.partition = 0, .agent = "agent-1"}).records, IsEmpty()) << "only the partition that was named";
  EXPECT_THAT(places(search({.partition = 7})), IsEmpty());
}

TEST_F(MessageSearchTest, ExaminesABoundedNumberOfRecordsAndGoesOnAtTheCursor) {
  log_.fill({3 * kMostKeys}, [](int32_t, int64_t offset) { return offset == 3 ? "agent-0" : "other-0"; });
  for (const Order order : {Order::kNewest, Order::kOldest}) {
    int answers = 0;
    EXPECT_THAT(all({.agent = "agent-0", .order = order}, answers), ElementsAre("0:3"));
    EXPECT_EQ(answers, 3) << "of 16,000 records each";
  }
  const FoundMessages first = search({.agent = "agent-0"});
  EXPECT_EQ(first.looked_at, kMostKeys);
  EXPECT_EQ(first.left, 2 * static_cast<int64_t>(kMostKeys));
  EXPECT_EQ(search({.agent = "agent-0", .kind = MessageSearch::Kind::kDecoded}).looked_at, kMostDecoded);
}

TEST_F(MessageSearchTest, ReadsNoMoreThanAFewTimesWhatIsAskedFor) {
  log_.fill({100'000}, [](int32_t, int64_t offset) { return "agent-" + std::to_string(offset % 100); });
  const FoundMessages found = search({.agent = "agent-7", .limit = 20});
  EXPECT_EQ(found.records.size(), 20U);
  EXPECT_LE(log_.examined, 4000) << "twice the 2,000 that hold 20 of this agent";
  log_.examined = 0;
  EXPECT_EQ(search({.limit = 20}).records.size(), 20U);
  EXPECT_EQ(log_.examined, 20);
}

TEST_F(MessageSearchTest, FindsEachRecordOnceInBothDirectionsAndInTheOrderOfTime) {
  log_.fill({500, 30, 0, 270},
            [](int32_t partition, int64_t offset) { return "agent-" + std::to_string((offset * 7 + partition) % 5); });
  for (const Order order : {Order::kNewest, Order::kOldest}) {
    for (const std::string agent : {"", "agent-?", "*-3"}) {
      int answers = 0;
      const auto found = all({.agent = agent, .order = order, .limit = 17}, answers);
      std::vector<std::pair<int64_t, std::string>> expected;
      for (const auto& [partition, records] : log_.partitions_) {
        for (const auto& record : records) {
          if (agent == "*-3" && record.key != "agent-3") continue;
          expected.emplace_back(record.time_ns, std::to_string(record.partition) + ":" + std::to_string(record.offset));
        }
      }
      EXPECT_EQ(std::set(found.begin(), found.end()).size(), expected.size()) << agent;
      std::ranges::sort(expected);
      if (order == Order::kNewest) std::ranges::reverse(expected);
      if (!agent.empty()) continue;  // with a filter, the partitions may be read to different times
      for (size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(found[i], expected[i].second);
    }
  }
}

TEST_F(MessageSearchTest, StartsAtATimeInBothDirections) {
  log_.fill({1000, 1000}, [](int32_t partition, int64_t) { return "agent-" + std::to_string(partition); });
  const int64_t at = log_.partitions_[1][600].time_ns;
  const auto after = search({.since_ns = at, .order = Order::kOldest, .limit = 3});
  ASSERT_EQ(after.records.size(), 3U);
  for (const auto& record : after.records) EXPECT_GE(record.time_ns, at);
  EXPECT_EQ(after.records[0].time_ns, at);
  const auto before = search({.until_ns = at, .limit = 3});
  ASSERT_EQ(before.records.size(), 3U);
  EXPECT_LT(before.records[0].time_ns, at);
  EXPECT_EQ(before.follow.at(1), 600);
  // What follows the search before is what the search after finds.
  const auto followed = search({.order = Order::kOldest, .cursor = before.follow, .limit = 3});
  EXPECT_EQ(places(followed), places(after));
  EXPECT_EQ(search({.partition = 0, .since_ns = at, .until_ns = at + 1000}).records.size(), 0U);
}

TEST_F(MessageSearchTest, FollowsWhatIsYetToCome) {
  log_.fill({5, 5}, [](int32_t partition, int64_t) { return "agent-" + std::to_string(partition); });
  const Offsets end = search({.limit = 1}).follow;
  auto nothing = search({.order = Order::kOldest, .cursor = end});
  EXPECT_THAT(nothing.records, IsEmpty());
  EXPECT_EQ(nothing.cursor, end);
  EXPECT_EQ(nothing.left, 0);
  log_.append(1, "agent-1");
  log_.append(0, "agent-0");
  log_.append(0, "agent-0");
  const auto found = search({.order = Order::kOldest, .cursor = nothing.cursor, .limit = 2});
  EXPECT_THAT(places(found), ElementsAre("1:5", "0:5"));
  EXPECT_EQ(found.left, 1);
  EXPECT_THAT(places(search({.order = Order::kOldest, .cursor = found.cursor})), ElementsAre("0:6"));
}

TEST_F(MessageSearchTest, StartsAtAnOffset) {
  log_.fill({100, 100}, [](int32_t, int64_t) { return "a"; });
  EXPECT_THAT(places(search({.partition = 1, .offset = 40, .order = Order::kOldest, .limit = 2})),
              ElementsAre("1:40", "1:41"));
  EXPECT_THAT(places(search({.partition = 1, .offset = 40, .limit = 2})), ElementsAre("1:41", "1:40"));
  EXPECT_THAT(places(search({.partition = 1, .cursor = {{1, 40}}, .limit = 2})), ElementsAre("1:39", "1:38"));
  EXPECT_THAT(places(search({.partition = 1, .offset = 400})), IsEmpty());
}

TEST_F(MessageSearchTest, FindsCorruptRecordsAndTicksOfATime) {
  log_.fill({6}, [](int32_t, int64_t) { return "a"; });
  metrics::Batch batch;
  batch.agent_id = "a";
  batch.incarnation = std::string(16, 'i');
  batch.sequence = 1;
  batch.first_unacked = 1;
  batch.frames.resize(2);
  batch.frames[0].time_ns = 500 * kNanosPerSecond;
  batch.frames[1].time_ns = 501 * kNanosPerSecond;
  metriclog::Record& good = log_.partitions_[0][2];
  good.headers.emplace_back("content-type", "application/json");
  good.value = metrics::batch_to_json(batch);
  EXPECT_THAT(places(search({.kind = MessageSearch::Kind::kDecoded})), ElementsAre("0:2"));
  EXPECT_THAT(places(search({.kind = MessageSearch::Kind::kCorrupt, .order = Order::kOldest})),
              ElementsAre("0:0", "0:1", "0:3", "0:4", "0:5"));
  EXPECT_EQ(search({.tick_since_ns = 501 * kNanosPerSecond}).records.size(), 1U);
  EXPECT_EQ(search({.tick_since_ns = 501 * kNanosPerSecond + 1}).records.size(), 0U);
  EXPECT_EQ(search({.tick_until_ns = 500 * kNanosPerSecond}).records.size(), 0U);
  EXPECT_EQ(search({.metric = "no.such"}).records.size(), 0U);
}

TEST_F(MessageSearchTest, SaysThatTheLogIsTooSlow) {
  log_.fill({100}, [](int32_t, int64_t) { return "a"; });
  log_.answers = 30;  // then it stops, as if its time were over
  const auto down = search_messages(log_, {});
  ASSERT_FALSE(down);
  EXPECT_THAT(down.error().message(), ::testing::HasSubstr("was read up to offset 80 of 100"));
  log_.answers = 0;
  const auto up = search_messages(log_, {.order = Order::kOldest});
  ASSERT_FALSE(up);
  EXPECT_EQ(up.error().code(), Code::kUnavailable);
}

TEST(MessageCursorTest, IsReadAsItIsWritten) {
  const Offsets cursor = {{0, 17}, {12, INT64_MAX - 1}};
  EXPECT_EQ(cursor_text(cursor), "0:17,12:9223372036854775806");
  EXPECT_EQ(*parse_cursor(cursor_text(cursor)), cursor);
  EXPECT_THAT(*parse_cursor(""), IsEmpty());
  for (const char* wrong : {"0", ":", "0:", "0:-1", "0:1,", "x:1", "200000:1", "0:1:2"})
    EXPECT_FALSE(parse_cursor(wrong)) << wrong;
}

}  // namespace
}  // namespace monitor::analysis::web
