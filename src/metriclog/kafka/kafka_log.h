// The metric log on Apache Kafka, with librdkafka. metriclog/log.h has the contract, docs/kafka.md the design. Writer
// and reader can be opened while Kafka is unreachable; they connect later.
//
//   topic `monitoring-data`          one record per batch; key: the agent's id
//   topic `monitoring-data-writers`  heartbeats of the writers (metriclog/heartbeat.h); key: the writer
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
  std::string brokers = "localhost:9092";  // HOST:PORT,... for the first connection
  std::string topic = "monitoring-data";
  // librdkafka's properties, as given with --kafka-property. Those on which the log's promises depend are rejected.
  std::vector<KafkaProperty> properties = {};
};

// When the writer holds records for a moment, so that they reach the broker in fuller batches: at lower rates there is
// nothing to gain, and at higher ones batches fill by themselves.
struct GatherOptions {
  int64_t hold_ns = 40 * kNanosPerMilli;  // 0: never
  double from_per_second = 200;
  double until_per_second = 20'000;
  size_t most_records = 4096;
  size_t most_bytes = size_t{4} << 20;
};

struct KafkaWriterOptions {
  KafkaOptions kafka = {};
  bool make_topics =
      true;  // creates missing topics; never alters existing ones. False: does not check the topics at all
  // For a topic that is created:
  int partitions = 6;
  bool partitions_required = false;  // if an existing topic does not have `partitions`, failure() reports it
  int replication = -1;              // number of replicas; -1: the brokers' setting
  int64_t retention_ns = int64_t{24} * 3600 * kNanosPerSecond;  // 0: forever
  bool with_snapshots = true;                                   // also creates the state topic
  bool with_heartbeats = true;                                  // writes heartbeats, and creates their topic
  std::string program = "monitor-server";                       // named in heartbeats
  std::string host = {};

  int64_t linger_ns = 5 * kNanosPerMilli;
  GatherOptions gather = {};
  int64_t message_timeout_ns =
      int64_t{3600} * kNanosPerSecond;  // a record unconfirmed for so long is reported as kRetry
  size_t max_queue_records = 100'000;   // accepted and not yet confirmed
  size_t max_queue_bytes = size_t{128} << 20;
  size_t max_record_bytes = 1'000'000;  // a larger record is rejected
};

// Errors: kInvalidArgument for a property that librdkafka does not know, or that is reserved.
Result<std::unique_ptr<LogWriter>> open_kafka_writer(const KafkaWriterOptions& options);
Result<std::unique_ptr<LogReader>> open_kafka_reader(const KafkaOptions& kafka, const ReaderOptions& options);

Result<std::unique_ptr<LogBrowser>> open_kafka_browser(const KafkaOptions& kafka);

}  // namespace monitor::metriclog
