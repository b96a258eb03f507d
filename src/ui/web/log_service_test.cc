#include "ui/web/log_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "metrics/json_form.h"
#include "ui/web/testing/fake_log.h"

namespace monitor::analysis::web {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class LogServiceTest : public ::testing::Test {
 protected:
  LogServiceTest() {
    auto log = std::make_unique<FakeLog>();
    log_ = log.get();
    log_->fill({10, 4}, [](int32_t partition, int64_t) { return "agent-" + std::to_string(partition); });
    opened_ = std::move(log);
  }
  static json body(const Reply& reply, unsigned status = 200) {
    EXPECT_EQ(reply.status, status) << *reply.body;
    return json::parse(*reply.body);
  }

  std::unique_ptr<metriclog::LogBrowser> opened_;
  FakeLog* log_ = nullptr;
  ReaderPlaces places_;
  LogService service_{[this]() -> Result<std::unique_ptr<metriclog::LogBrowser>> { return std::move(opened_); },
                      "a log", [this] { return places_; }};
};

TEST_F(LogServiceTest, ShowsPartitionsGroupsAndItsOwnReader) {
  log_->positions_ = {{"readers", 0, 7}, {"readers", 1, 4}};
  places_[0] = {.next = 9, .records = 4, .bytes = 1000};
  places_[5] = {.next = 9, .records = 1, .bytes = 10};
  const json log = body(service_.overview());
  EXPECT_EQ(log["log"], "a log");
  EXPECT_EQ(log["partitions"][0], json({{"partition", 0},
                                        {"begin", 0},
                                        {"end", 10},
                                        {"records", 10},
                                        {"oldest", 0.001},
                                        {"newest", 0.014},
                                        {"bytes", nullptr},
                                        {"mean_bytes", 250}}));
  EXPECT_EQ(log["partitions"][1]["mean_bytes"], nullptr);
  EXPECT_EQ(log["groups"][0], json({{"group", "readers"}, {"partition", 0}, {"next", 7}, {"lag", 3}}));
  EXPECT_EQ(log["groups"][1]["lag"], 0);
  EXPECT_EQ(log["reader"], json::array({{{"partition", 0}, {"next", 9}, {"lag", 1}}}))
      << "not of a partition that is gone";
  // The times of both ends are read once.
  log_->scanned.clear();
  (void)service_.overview();
  EXPECT_THAT(log_->scanned, ElementsAre());
  log_->append(1, "agent-1");
  (void)service_.overview();
  EXPECT_THAT(log_->scanned, ElementsAre(1));
}

TEST_F(LogServiceTest, ShowsOneMessageWithItsBytesOrWhyItCannotBeDecoded) {
  metriclog::Record& record = log_->partitions_[1][2];
  record.value = std::string("\0\x01no batch", 10);
  record.headers.emplace_back("content-type", "application/x-protobuf");
  record.headers.emplace_back("id", "\xFF\x01");
  record.headers.emplace_back("id", "again");
  const json message = body(service_.message(1, 2));
  EXPECT_THAT(message["error"].get<std::string>(), HasSubstr("batch"));
  EXPECT_EQ(message["bytes"], 10);
  EXPECT_EQ(message["headers"]["id"], "ff01");
  EXPECT_EQ(message["all_headers"][1], json({{"name", "id"}, {"bytes", 2}, {"text", false}, {"value", "ff01"}}));
  EXPECT_EQ(message["all_headers"][2]["value"], "again");
  const Reply value = service_.value(1, 2, 0, SIZE_MAX);
  EXPECT_EQ(value.content_type, "application/octet-stream");
  EXPECT_EQ(*value.body, record.value);
  EXPECT_EQ(*service_.value(1, 2, 2, 4).body, "no b");
  EXPECT_EQ(*service_.value(1, 2, 9, 4).body, "h");
  EXPECT_EQ(*service_.value(1, 2, 99, 4).body, "");
  EXPECT_THAT(body(service_.message(1, 4), 404)["error"].get<std::string>(), HasSubstr("its messages are 0 to 3"));
  EXPECT_THAT(body(service_.value(2, 0, 0, 1), 404)["error"].get<std::string>(), HasSubstr("the log has 2 partitions"));
}

TEST_F(LogServiceTest, OmitsBatchesFromSummaries) {
  metrics::Batch batch;
  batch.agent_id = "agent-1";
  batch.hostname = "host-1";
  batch.incarnation = std::string(16, 'i');
  batch.sequence = 17;
  batch.first_unacked = 1;
  batch.frames.resize(2);
  batch.frames[0].time_ns = 500 * kNanosPerSecond;
  batch.frames[1].time_ns = 501 * kNanosPerSecond;
  metriclog::Record& record = log_->partitions_[1][3];
  record.headers.emplace_back("content-type", "application/json");
  record.value = metrics::batch_to_json(batch);
  const MessageSearch search{.agent = "agent-1", .limit = 1};
  const json summary = body(service_.messages(search, MessageContent::kSummary))["messages"][0];
  EXPECT_FALSE(summary.contains("batch"));
  EXPECT_EQ(summary["sequence"], 17);
  EXPECT_EQ(summary["first_tick"], 500);
  EXPECT_EQ(summary["last_tick"], 501);
  EXPECT_EQ(summary["host"], "host-1");
  const json answer = body(service_.messages(search, MessageContent::kBatch));
  EXPECT_EQ(answer["messages"][0]["batch"]["frames"].size(), 2U);
  EXPECT_EQ(answer["left"], 3);
  EXPECT_EQ(answer["cursor"], "1:3");
  EXPECT_EQ(answer["follow"], "1:4");
}

TEST_F(LogServiceTest, KeepsThePastOfLags) {
  constexpr int64_t kNow = 1000 * kNanosPerSecond;
  EXPECT_EQ(body(service_.lag(LagHistory::kFineFor, kNow))["since"], nullptr);
  log_->positions_ = {{"readers", 0, 7}, {"readers", 1, 1}};
  service_.sample_lag(kNow);
  places_[0] = {.next = 9};
  log_->positions_ = {{"others", 0, 10}};
  service_.sample_lag(kNow + LagHistory::kStep);
  const json lag = body(service_.lag(LagHistory::kFineFor, kNow + LagHistory::kStep));
  EXPECT_EQ(lag["since"], 1000);
  EXPECT_EQ(lag["kept"], 86'400);
  EXPECT_EQ(lag["step"], 10);
  EXPECT_EQ(lag["times"], json({1000, 1010}));
  EXPECT_EQ(lag["stored"], json({14, 14}));
  EXPECT_EQ(lag["reader"], json({nullptr, 1}));
  EXPECT_EQ(lag["groups"][0], json({{"group", "others"}, {"lag", {nullptr, 0}}}));
  EXPECT_EQ(lag["groups"][1], json({{"group", "readers"}, {"lag", {6, nullptr}}}));
}

}  // namespace
}  // namespace monitor::analysis::web
