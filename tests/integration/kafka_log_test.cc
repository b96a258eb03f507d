// The metric log on a real Kafka: the contract that every log passes, and what is Kafka's own. The services' address is
// in the file that MONITOR_TEST_SERVICES names (tools/services writes it); without it every test fails.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>

#include "metriclog/contract_test.h"
#include "metriclog/kafka/kafka_log.h"
#include "metriclog/kafka/testing/admin.h"

namespace monitor::metriclog {
namespace {

using ::testing::HasSubstr;

std::string new_topic_name() {
  static std::atomic<int> count = 0;
  return "log-" + std::to_string(getpid()) + "-" + std::to_string(SystemClock().wall_ns() / kNanosPerMilli) + "-" +
         std::to_string(++count);
}

class KafkaFixture final : public LogFixture {
 public:
  LogWriter& writer() override {
    if (!writer_) {
      auto opened = open_kafka_writer({.kafka = kafka_, .partitions = 1, .max_record_bytes = max_record_bytes()});
      if (!opened) throw std::runtime_error(opened.error().to_string());
      writer_ = std::move(*opened);
      testing::wait_until_open(*writer_);
    }
    return *writer_;
  }
  std::unique_ptr<LogReader> reader(const ReaderOptions& options) override {
    writer();
    auto opened = open_kafka_reader(kafka_, options);
    if (!opened) throw std::runtime_error(opened.error().to_string());
    return std::move(*opened);
  }
  // Kafka stamps with its own clock, in milliseconds.
  void advance(int64_t /*ns*/) override {
    const int64_t until = clock_.wall_ns() + 3 * kNanosPerMilli;
    while (clock_.wall_ns() < until) usleep(200);
  }
  int64_t now_ns() override { return clock_.wall_ns(); }
  int64_t time_tolerance_ns() const override { return 30 * kNanosPerSecond; }
  void take_first(int64_t count) override { testing::delete_records(kafka_.brokers, kafka_.topic, 0, count); }
  bool reads_ahead() const override { return true; }
  size_t max_record_bytes() const override { return 4096; }

 private:
  SystemClock clock_;
  KafkaOptions kafka_{.brokers = testing::kafka_address(), .topic = new_topic_name()};
  std::unique_ptr<LogWriter> writer_;
};

INSTANTIATE_TEST_SUITE_P(Kafka, MetricLogContract,
                         ::testing::Values([] { return std::unique_ptr<LogFixture>(new KafkaFixture()); }));

}  // namespace
}  // namespace monitor::metriclog
