#include "metriclog/kafka/gathering.h"

#include <gtest/gtest.h>

namespace monitor::metriclog::kafka {
namespace {

constexpr int64_t kSecond = kNanosPerSecond;

TEST(RateSwitchTest, HoldsTheRecordsOfAFleetOnly) {
  RateSwitch rate({});
  int64_t now = kSecond;
  const auto second_with = [&](int records) {
    for (int i = 0; i < records; ++i) rate.count();
    return rate.look(now += kSecond);
  };
  (void)rate.look(now);
  EXPECT_FALSE(second_with(150));
  EXPECT_TRUE(second_with(1000));
  EXPECT_TRUE(second_with(150));  // half of the limit ends it
  EXPECT_FALSE(second_with(50));
  EXPECT_FALSE(second_with(150));
  EXPECT_TRUE(second_with(20'000));
  EXPECT_TRUE(second_with(25'000));
  EXPECT_FALSE(second_with(40'000));
  EXPECT_FALSE(second_with(25'000));
}

struct GatheringTest : ::testing::Test {
  GatherOptions options{.from_per_second = 0, .until_per_second = 1e9, .most_records = 3};
  std::vector<std::string> sent;
  size_t room = SIZE_MAX;
  int woken = 0;
  Gathering gathering{options,
                      [this](const RecordView& record, uintptr_t number) {
                        if (room == 0) return false;
                        --room;
                        std::string text =
                            std::to_string(number) + "/" + std::string(record.key) + "/" + std::string(record.value);
                        for (const auto& [name, value] : record.headers) {
                          text += "/" + std::string(name) + "=" + std::string(value);
                        }
                        sent.push_back(text);
                        return true;
                      },
                      [this] { ++woken; }};

  Gathering::Taken take(uintptr_t number, int64_t now) {
    const std::string key = "k" + std::to_string(number);
    const std::vector<std::pair<std::string_view, std::string_view>> headers = {{"a", "1"}, {"empty", ""}};
    return gathering.take({key, headers, "value"}, number, now);
  }
};

TEST_F(GatheringTest, PassesRecordsOnAsTheyWereWhenTheyAreDue) {
  EXPECT_EQ(take(1, 0), Gathering::Taken::kNo);  // nobody has looked at the rate
  gathering.look(kSecond);
  EXPECT_EQ(take(2, kSecond), Gathering::Taken::kHeld);
  EXPECT_EQ(take(3, kSecond + 1), Gathering::Taken::kHeld);
  EXPECT_EQ(woken, 1);
  EXPECT_EQ(gathering.due_ns(), kSecond + options.hold_ns);
  gathering.look(gathering.due_ns() - 1);
  EXPECT_TRUE(sent.empty());
  gathering.look(gathering.due_ns());
  EXPECT_EQ(sent, (std::vector<std::string>{"2/k2/value/a=1/empty=", "3/k3/value/a=1/empty="}));
  EXPECT_EQ(gathering.due_ns(), INT64_MAX);
}

TEST_F(GatheringTest, IsBoundedAndKeepsWhatCannotBeSent) {
  gathering.look(kSecond);
  for (uintptr_t number = 1; number <= 3; ++number) EXPECT_EQ(take(number, kSecond), Gathering::Taken::kHeld);
  EXPECT_EQ(take(4, kSecond), Gathering::Taken::kHeld);  // the first three were passed on
  EXPECT_EQ(sent.size(), 3U);
  room = 1;
  EXPECT_EQ(take(5, kSecond), Gathering::Taken::kHeld);
  EXPECT_EQ(take(6, kSecond), Gathering::Taken::kHeld);
  EXPECT_EQ(take(7, kSecond), Gathering::Taken::kHeld);
  EXPECT_EQ(take(8, kSecond), Gathering::Taken::kFull);
  room = SIZE_MAX;
  gathering.pass_on();
  ASSERT_EQ(sent.size(), 7U);
  for (size_t i = 0; i < sent.size(); ++i) EXPECT_EQ(sent[i].substr(0, 2), std::to_string(i + 1) + "/");
}

}  // namespace
}  // namespace monitor::metriclog::kafka
