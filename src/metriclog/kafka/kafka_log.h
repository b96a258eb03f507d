// The metric log on Apache Kafka, using librdkafka. metriclog/log.h has the contract, docs/kafka.md the design. Neither
// writer nor reader needs Kafka to be available when it is opened; they connect later.
//
//   topic `monitoring-data`          a record for each batch; key: the agent's id
//   topic `monitoring-data-writers`  heartbeats of the writers (metriclog/browser.h); key: the writer
//   topic `monitoring-data-state`    compacted, same partition count; key GROUP/PARTITION: the group's last snapshot
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "metriclog/browser.h"
#include "metriclog/kafka/properties.h"
#include "metriclog/log.h"

namespace monitor::metriclog {

struct KafkaOptions {
  std::string brokers = "localhost:9092";  // HOST:PORT,... to begin with
  std::string topic = "monitoring-data";
  // librdkafka's own, as --kafka-property gives them; what the log's promises rest on is refused.
  std::vector<KafkaProperty> properties = {};
};

struct KafkaWriterOptions {
  KafkaOptions kafka = {};
  bool make_topics = true;  // those that are missing; an existing one is never altered. False: looks at nothing
  // Of a topic that is made:
  int partitions = 6;
  bool partitions_required = false;  // an existing topic must have `partitions`, else failure()
  int replication = -1;              // copies; -1: as the brokers are set
  int64_t retention_ns = int64_t{24} * 3600 * kNanosPerSecond;  // 0: for ever
  bool with_snapshots = true;                                   // the state topic as well
  bool with_heartbeats = true;                                  // this writer's, and their topic
  std::string program = "monitor-server";                       // of heartbeats
  std::string host = {};

  int64_t linger_ns = 5 * kNanosPerMilli;
  int64_t message_timeout_ns = int64_t{3600} * kNanosPerSecond;  // unconfirmed for so long: sent again by the agent
  size_t max_queue_records = 100'000;                            // accepted and not yet confirmed
  size_t max_queue_bytes = size_t{128} << 20;
  size_t max_record_bytes = 1'000'000;  // a larger record is rejected
};

// Errors: kInvalidArgument, a property that librdkafka does not know or that must not be changed.
Result<std::unique_ptr<LogWriter>> open_kafka_writer(const KafkaWriterOptions& options);
Result<std::unique_ptr<LogReader>> open_kafka_reader(const KafkaOptions& kafka, const ReaderOptions& options);

Result<std::unique_ptr<LogBrowser>> open_kafka_browser(const KafkaOptions& kafka);

}  // namespace monitor::metriclog
