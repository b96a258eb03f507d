// For integration tests: what an operator does to a Kafka, and where the tests' Kafka is. Everything blocks, and throws
// std::runtime_error when it cannot be done.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "metriclog/log.h"

namespace monitor::metriclog::testing {

// Of the services that the test run started (the file that MONITOR_TEST_SERVICES names).
std::string kafka_address();

void create_topic(const std::string& brokers, const std::string& topic, int partitions,
                  const std::vector<std::pair<std::string, std::string>>& settings = {});
void delete_topic(const std::string& brokers, const std::string& topic);
void add_partitions(const std::string& brokers, const std::string& topic, int total);
// Of one partition, below `before`.
void delete_records(const std::string& brokers, const std::string& topic, int32_t partition, int64_t before);
std::map<std::string, std::string> settings(const std::string& brokers, const std::string& topic);
int count_partitions(const std::string& brokers, const std::string& topic);

// Of a group's partition 0; negative when there is none.
int64_t committed_offset(const std::string& brokers, const std::string& group, const std::string& topic);
// As tools do that reset a group.
void commit_offset(const std::string& brokers, const std::string& group, const std::string& topic, int64_t offset);

// Until the log takes records.
void wait_until_open(const LogWriter& writer);

}  // namespace monitor::metriclog::testing
