// Creates, finds and inspects our topics. All calls block, at most for the given time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "metriclog/kafka/client.h"

namespace monitor::metriclog::kafka {

struct TopicSpec {
  std::string name;
  int partitions = 1;
  int replication = -1;
  Settings settings = {};
};

TopicSpec data_topic(const KafkaWriterOptions& options);
// The topic of snapshots: compacted, with as many partitions as the data.
TopicSpec state_topic(const std::string& data_name, int partitions, int replication);
std::string state_topic_name(const std::string& data_name);
// The topic of heartbeats: one partition, kept for a day.
TopicSpec writers_topic(const std::string& data_name, int replication);
std::string writers_topic_name(const std::string& data_name);

// Called while waiting for a broker; false gives up.
using GoOn = std::function<bool()>;

// OK: created. kAlreadyExists: it existed and is unchanged.
Status create_topic(rd_kafka_t* handle, const TopicSpec& spec, int64_t timeout_ns, const GoOn& go_on);

// kNotFound: no such topic. Other errors: unknown.
Result<int> partition_count(rd_kafka_t* handle, const std::string& topic, int64_t timeout_ns);

// The settings of an existing topic, by name. An error is not fatal: reading them may be forbidden.
Result<std::map<std::string, std::string>> topic_settings(rd_kafka_t* handle, const std::string& topic,
                                                          int64_t timeout_ns, const GoOn& go_on);

// Partitions were added to the data topic, so its count differs from the state topic's.
Error grown_error(const std::string& topic, int partitions, int before);

}  // namespace monitor::metriclog::kafka
