// The writer with librdkafka's own broker in memory, which fails on request.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>  // after rdkafka.h
#include <unistd.h>

#include <algorithm>
#include <functional>

#include "metriclog/kafka/client.h"
#include "metriclog/kafka/kafka_log.h"
#include "metriclog/testing/deliveries.h"

namespace monitor::metriclog {
namespace {

using kafka::Deleter;
using ::testing::HasSubstr;

// Numbers of requests in Kafka's protocol.
constexpr int16_t kProduce = 0;
constexpr int16_t kInitProducerId = 22;

class KafkaWriter : public ::testing::Test {
 protected:
  using Cluster = std::unique_ptr<rd_kafka_mock_cluster_t, Deleter<rd_kafka_mock_cluster_destroy>>;
  static constexpr int64_t kPatience = 20 * kNanosPerSecond;

  KafkaWriter() {
    auto config = kafka::make_config({}, {});
    auto handle = kafka::make_handle(RD_KAFKA_PRODUCER, std::move(*config));
    owner_ = std::move(*handle);
    cluster_.reset(rd_kafka_mock_cluster_new(owner_.get(), 1));
    rd_kafka_mock_topic_create(cluster_.get(), "t", 4, 1);
  }

  KafkaWriterOptions options() const {
    KafkaWriterOptions options{.kafka = {.brokers = rd_kafka_mock_cluster_bootstraps(cluster_.get()), .topic = "t"}};
    options.make_topics = false;  // this broker supports no administration
    options.kafka.properties = {{"compression.codec", "none"}, {"retry.backoff.ms", "10"}};
    return options;
  }
  void open(const KafkaWriterOptions& options) {
    auto opened = open_kafka_writer(options);
    ASSERT_TRUE(opened.ok()) << opened.error().to_string();
    writer_ = std::move(*opened);
  }
  static bool wait_until(const std::function<bool()>& condition) {
    constexpr useconds_t kLook = 1000;
    const SystemClock clock;
    const int64_t end = clock.mono_ns() + kPatience;
    while (!condition()) {
      if (clock.mono_ns() > end) return false;
      usleep(kLook);
    }
    return true;
  }
  bool wait_until_open() const {
    return wait_until([this] { return writer_->trouble().empty(); });
  }
  LogWriter::Accepted append(uint64_t token) {
    return writer_->append({"agent-" + std::to_string(token % 3), {}, "value"}, deliveries_, token);
  }
  void fail(int16_t request, size_t count, rd_kafka_resp_err_t error) {
    const std::vector<rd_kafka_resp_err_t> errors(count, error);
    rd_kafka_mock_push_request_errors_array(cluster_.get(), request, count, errors.data());
  }
  size_t count(Outcome outcome) const {
    const auto all = deliveries_.all();
    return static_cast<size_t>(
        std::ranges::count_if(all, [outcome](const Delivery& delivery) { return delivery.outcome == outcome; }));
  }

  kafka::Handle owner_;
  Cluster cluster_;
  Deliveries deliveries_;
  std::unique_ptr<LogWriter> writer_;
};

TEST_F(KafkaWriter, SendsRecordsOfARejectedBatchOneByOne) {
  auto slow = options();
  slow.linger_ns = 50 * kNanosPerMilli;  // all records of a partition are in one batch
  open(slow);
  ASSERT_TRUE(wait_until_open());
  fail(kProduce, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
  for (uint64_t token = 1; token <= 30; ++token) ASSERT_EQ(append(token), LogWriter::Accepted::kYes);
  ASSERT_TRUE(writer_->flush(kPatience));
  EXPECT_EQ(count(Outcome::kStored), 30U);
}

// Each record would be a batch of its own otherwise, because its client sends at once.
TEST_F(KafkaWriter, HoldsRecordsOfAFleetAndKeepsTheirOrder) {
  auto fleet = options();
  fleet.linger_ns = 0;
  fleet.gather = {.hold_ns = 100 * kNanosPerMilli, .from_per_second = 0, .until_per_second = 1e9};
  open(fleet);
  ASSERT_TRUE(wait_until_open());
  const SystemClock clock;
  // The first looks at the rate come with the first confirmations.
  uint64_t token = 0;
  ASSERT_TRUE(wait_until([&] {
    const int64_t before = clock.mono_ns();
    EXPECT_EQ(append(token += 3), LogWriter::Accepted::kYes);
    EXPECT_TRUE(writer_->flush(kPatience));
    return clock.mono_ns() - before >= fleet.gather.hold_ns;
  }));
  const size_t before = deliveries_.all().size();
  for (uint64_t i = 1; i <= 30; ++i) ASSERT_EQ(append(token + 3 * i), LogWriter::Accepted::kYes);
  EXPECT_EQ(deliveries_.all().size(), before);  // nothing was sent yet
  ASSERT_TRUE(writer_->flush(kPatience));
  const auto all = deliveries_.all();
  ASSERT_EQ(all.size(), before + 30);
  for (uint64_t i = 1; i <= 30; ++i) EXPECT_EQ(all[before + i - 1].token, token + 3 * i);
  EXPECT_EQ(count(Outcome::kStored), before + 30);
}

TEST_F(KafkaWriter, ReportsHeldRecordsThatTheClientRefuses) {
  auto fleet = options();
  fleet.gather = {.hold_ns = 100 * kNanosPerMilli, .from_per_second = 0, .until_per_second = 1e9};
  fleet.max_record_bytes = 100;  // of the value: the client refuses records with long headers
  open(fleet);
  ASSERT_TRUE(wait_until_open());
  const std::string large(size_t{1} << 20, 'x');
  const std::vector<std::pair<std::string_view, std::string_view>> headers = {{"large", large}};
  for (uint64_t token = 1; token <= 5; ++token) {
    ASSERT_EQ(append(3 * token), LogWriter::Accepted::kYes);
    ASSERT_EQ(writer_->append({"agent-0", headers, "value"}, deliveries_, 1000 + token), LogWriter::Accepted::kYes);
    ASSERT_TRUE(writer_->flush(kPatience));
  }
  EXPECT_EQ(count(Outcome::kStored), 5U);
  EXPECT_EQ(count(Outcome::kRejected), 5U);
}

TEST_F(KafkaWriter, RejectsOnlyARecordThatFailsAlone) {
  auto slow = options();
  slow.linger_ns = 50 * kNanosPerMilli;
  open(slow);
  ASSERT_TRUE(wait_until_open());
  // The batch fails, then the first record that is sent by itself.
  fail(kProduce, 2, RD_KAFKA_RESP_ERR_INVALID_RECORD);
  for (uint64_t token = 0; token < 30; token += 3) ASSERT_EQ(append(token), LogWriter::Accepted::kYes);
  ASSERT_TRUE(writer_->flush(kPatience));
  EXPECT_EQ(count(Outcome::kRejected), 1U);
  EXPECT_EQ(count(Outcome::kStored), 9U);
}

TEST_F(KafkaWriter, MissingPermissionIsBackPressureUntilGranted) {
  open(options());
  ASSERT_TRUE(wait_until_open());
  fail(kProduce, 1, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  ASSERT_EQ(append(1), LogWriter::Accepted::kYes);
  ASSERT_TRUE(writer_->flush(kPatience));
  ASSERT_EQ(count(Outcome::kRetry), 1U);
  EXPECT_THAT(deliveries_.all()[0].reason, HasSubstr("authorization"));
  EXPECT_THAT(writer_->trouble(), HasSubstr("topic t"));
  // The client accepts no record until it has queried the topic again.
  ASSERT_TRUE(wait_until([this] { return append(2) == LogWriter::Accepted::kYes; }));
  ASSERT_TRUE(writer_->flush(kPatience));
  EXPECT_EQ(count(Outcome::kStored), 1U);
  EXPECT_EQ(writer_->trouble(), "");
}

TEST_F(KafkaWriter, WaitsForABrokersFullDisk) {
  open(options());
  ASSERT_TRUE(wait_until_open());
  fail(kProduce, 3, RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR);
  ASSERT_EQ(append(1), LogWriter::Accepted::kYes);
  ASSERT_TRUE(writer_->flush(kPatience));
  EXPECT_EQ(count(Outcome::kStored), 1U);
}

TEST_F(KafkaWriter, FatalErrorLeadsToANewProducerAndAReset) {
  rd_kafka_mock_broker_set_rtt(cluster_.get(), 1, 50);
  fail(kInitProducerId, 1, RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED);
  open(options());
  uint64_t token = 0;
  // Either producer may have accepted it; what the first one had is reported by the reset.
  ASSERT_TRUE(wait_until([&] {
    if (append(token + 1) == LogWriter::Accepted::kYes) ++token;
    return count(Outcome::kStored) > 0;
  }));
  ASSERT_TRUE(writer_->flush(kPatience));
  EXPECT_EQ(count(Outcome::kStored), deliveries_.all().size());
  EXPECT_EQ(deliveries_.resets(), deliveries_.all().size() < token ? 1 : 0);
  EXPECT_TRUE(wait_until_open());
}

TEST_F(KafkaWriter, FullQueueIsBackPressureAndRecovers) {
  auto small = options();
  small.max_queue_records = 10;
  open(small);
  ASSERT_TRUE(wait_until_open());
  rd_kafka_mock_broker_set_down(cluster_.get(), 1);
  uint64_t token = 0;
  while (append(token + 1) == LogWriter::Accepted::kYes) ++token;
  EXPECT_EQ(token, 10U);
  ASSERT_TRUE(wait_until([this] { return !writer_->trouble().empty(); }));
  EXPECT_THAT(writer_->trouble(), HasSubstr("cannot be reached"));
  EXPECT_FALSE(writer_->flush(0));
  rd_kafka_mock_broker_set_up(cluster_.get(), 1);
  ASSERT_TRUE(writer_->flush(kPatience));
  EXPECT_EQ(count(Outcome::kStored), 10U);
  EXPECT_EQ(append(11), LogWriter::Accepted::kYes);
  ASSERT_TRUE(writer_->flush(kPatience));
  EXPECT_TRUE(wait_until_open());
}

TEST_F(KafkaWriter, ReportsAllRecordsWhenDestroyedWithoutABroker) {
  open(options());
  ASSERT_TRUE(wait_until_open());
  rd_kafka_mock_broker_set_down(cluster_.get(), 1);
  append(1);
  append(2);
  writer_.reset();
  EXPECT_EQ(deliveries_.all().size(), 2U);
  EXPECT_EQ(count(Outcome::kRetry), 2U);
}

TEST_F(KafkaWriter, WithoutABrokerItAcceptsNothingAndReportsWhy) {
  auto nowhere = options();
  nowhere.kafka.brokers = "127.0.0.1:1";
  open(nowhere);
  EXPECT_EQ(append(1), LogWriter::Accepted::kFull);
  EXPECT_TRUE(wait_until([this] { return writer_->trouble().find("refused") != std::string::npos; }));
  EXPECT_THAT(writer_->trouble(), HasSubstr("127.0.0.1:1"));
  EXPECT_TRUE(writer_->failure().ok());
}

TEST(KafkaProperties, AreValidatedBeforeAnythingStarts) {
  const auto open = [](const std::string& name, const std::string& value) {
    return open_kafka_writer({.kafka = {.brokers = "127.0.0.1:1", .properties = {{name, value}}}});
  };
  EXPECT_THAT(open("acks", "1").error().message(), HasSubstr("acks cannot be changed"));
  EXPECT_THAT(open("no.such", "1").error().message(), HasSubstr("no.such"));
  EXPECT_EQ(open("linger.ms", "soon").error().code(), Code::kInvalidArgument);
  EXPECT_TRUE(open("linger.ms", "20").ok());
  EXPECT_EQ(parse_kafka_property("a=b=c")->second, "b=c");
  EXPECT_FALSE(parse_kafka_property("=b").ok());
  EXPECT_FALSE(parse_kafka_property("a").ok());
}

}  // namespace
}  // namespace monitor::metriclog
