// Topics: what ours look like, and making, finding and looking at them. All calls block, for at most the given time.
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
// A group's snapshots: compacted, as many partitions as the data has.
TopicSpec state_topic(const std::string& data_name, int partitions, int replication);
std::string state_topic_name(const std::string& data_name);
// Heartbeats of writers: one partition, kept for a day.
TopicSpec writers_topic(const std::string& data_name, int replication);
std::string writers_topic_name(const std::string& data_name);

// Called while a broker is waited for; false gives up.
using GoOn = std::function<bool()>;

// OK: it was made. kAlreadyExists: it was there, and is untouched.
Status create_topic(rd_kafka_t* handle, const TopicSpec& spec, int64_t timeout_ns, const GoOn& go_on);

// kNotFound: no such topic. Anything else: it is not known.
Result<int> partition_count(rd_kafka_t* handle, const std::string& topic, int64_t timeout_ns);

// The settings of an existing topic by name. An error is no reason to stop: looking may be forbidden.
Result<std::map<std::string, std::string>> topic_settings(rd_kafka_t* handle, const std::string& topic,
                                                          int64_t timeout_ns, const GoOn& go_on);

// The partition counts of data and snapshots differ since partitions were added to the data.
Error grown_error(const std::string& topic, int partitions, int before);

}  // namespace monitor::metriclog::kafka
