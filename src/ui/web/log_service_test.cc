#include "ui/web/log_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace monitor::analysis::web {
namespace {

using ::testing::ElementsAre;

// Partitions with the given numbers of records. The last character of a key names its partition.
class FakeBrowser final : public metriclog::LogBrowser {
 public:
  FakeBrowser(std::vector<int64_t> ends, std::vector<int32_t>& read) : ends_(std::move(ends)), read_(read) {}
  Result<std::vector<metriclog::PartitionExtent>> partitions() override {
    std::vector<metriclog::PartitionExtent> found;
    for (size_t i = 0; i < ends_.size(); ++i) found.push_back({static_cast<int32_t>(i), 0, ends_[i]});
    return found;
  }
  Result<std::vector<metriclog::GroupPosition>> groups() override { return std::vector<metriclog::GroupPosition>(); }
  Result<std::vector<metriclog::Record>> read(int32_t partition, int64_t from, size_t limit) override {
    read_.push_back(partition);
    std::vector<metriclog::Record> found;
    for (int64_t at = from; at < std::min(ends_[static_cast<size_t>(partition)], from + static_cast<int64_t>(limit));
         ++at) {
      metriclog::Record record{.partition = partition, .offset = at, .time_ns = at + 1};
      record.key = (at == 3 ? "agent-" : "other-") + std::to_string(partition);
      found.push_back(std::move(record));
    }
    return found;
  }
  Result<int64_t> offset_at(int32_t /*partition*/, int64_t /*time_ns*/) override { return 0; }
  Result<std::vector<metriclog::Heartbeat>> heartbeats() override { return std::vector<metriclog::Heartbeat>(); }
  int32_t partition_of(std::string_view key, size_t partitions) const override {
    return (key.back() - '0') % static_cast<int32_t>(partitions);
  }

 private:
  const std::vector<int64_t> ends_;
  std::vector<int32_t>& read_;
};

class LogServiceTest : public ::testing::Test {
 protected:
  nlohmann::json ask(const MessageSearch& search) {
    read_.clear();
    const Reply reply = service_.messages(search);
    EXPECT_EQ(reply.status, 200);
    return nlohmann::json::parse(*reply.body);
  }

  std::vector<int32_t> read_;
  LogService service_{[this]() -> Result<std::unique_ptr<metriclog::LogBrowser>> {
                        return std::unique_ptr<metriclog::LogBrowser>(
                            std::make_unique<FakeBrowser>(std::vector<int64_t>{10, 10, 9000, 10}, read_));
                      },
                      "a log"};
};

TEST_F(LogServiceTest, SearchesForAnAgentOnlyInItsPartition) {
  const auto found = ask({.agent = "agent-1"});
  ASSERT_EQ(found["messages"].size(), 1U);
  EXPECT_EQ(found["messages"][0]["partition"], 1);
  EXPECT_THAT(read_, ElementsAre(1));
  EXPECT_EQ(found["cursor"], nullptr);
  EXPECT_EQ(ask({.agent = "agent-?"})["messages"].size(), 3U) << "a pattern may match in any partition";
  EXPECT_EQ(ask({.partition = 0, .agent = "agent-1"})["messages"].size(), 0U) << "only the partition that was named";
}

TEST_F(LogServiceTest, ContinuesAtTheCursor) {
  MessageSearch search{.agent = "agent-2"};
  size_t looked_at = 0;
  int answers = 0;
  size_t found = 0;
  for (bool more = true; more;) {
    ASSERT_LT(answers++, 5);
    const auto answer = ask(search);
    looked_at += answer["looked_at"].get<size_t>();
    found += answer["messages"].size();
    more = !answer["cursor"].is_null();
    if (more) search.cursor = *parse_cursor(answer["cursor"].get<std::string>());
  }
  EXPECT_EQ(found, 1U);
  EXPECT_EQ(answers, 3) << "of 4,000 records each";
  EXPECT_EQ(looked_at, 9000U);
}

}  // namespace
}  // namespace monitor::analysis::web
