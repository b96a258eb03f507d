// Creates, finds and inspects the topics of the log. Each call blocks, at most for the given time.
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
// The topic of snapshots: compacted, with as many partitions as the data topic.
TopicSpec state_topic(const std::string& data_name, int partitions, int replication);
std::string state_topic_name(const std::string& data_name);
// The topic of heartbeats: one partition, records kept for a day.
TopicSpec writers_topic(const std::string& data_name, int replication);
std::string writers_topic_name(const std::string& data_name);

// Called while waiting for a broker; returning false gives up.
using GoOn = std::function<bool()>;

// OK: the topic was created. kAlreadyExists: it existed, and was not changed.
Status create_topic(rd_kafka_t* handle, const TopicSpec& spec, int64_t timeout_ns, const GoOn& go_on);

// kNotFound: the topic does not exist. Other errors: unknown.
Result<int> partition_count(rd_kafka_t* handle, const std::string& topic, int64_t timeout_ns);

// The settings of an existing topic, by name. An error is not fatal, because reading them may be forbidden.
Result<std::map<std::string, std::string>> topic_settings(rd_kafka_t* handle, const std::string& topic,
                                                          int64_t timeout_ns, const GoOn& go_on);

// The error for a data topic to which partitions were added, so that its count differs from that of the state topic.
Error grown_error(const std::string& topic, int partitions, int before);

}  // namespace monitor::metriclog::kafka
