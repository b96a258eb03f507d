// What Kafka's cluster says about our topics: replicas, and the settings that decide whether batches are safe. For
// people and for `monitor doctor`; nothing here is a secret. Blocks, at most for the given time. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "metriclog/kafka/kafka_log.h"

namespace monitor::metriclog {

struct TopicReport {
  std::string name;
  bool exists = false;
  int partitions = 0;
  int replication = 0;                               // the fewest replicas of a partition
  int in_sync = 0;                                   // the fewest in-sync replicas of a partition
  int leaderless = 0;                                // partitions without a leader
  std::map<std::string, std::string> settings = {};  // empty if reading them is forbidden
};

struct ClusterReport {
  int brokers = 0;
  std::vector<TopicReport> topics = {};  // data, state, writers
};

// Errors: kUnavailable with the reason of the last failed connection, kInvalidArgument for a refused property.
Result<ClusterReport> describe_topics(const KafkaOptions& kafka, int64_t timeout_ns);

}  // namespace monitor::metriclog
