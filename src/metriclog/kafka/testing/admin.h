// For integration tests: operations of a Kafka administrator, and the address of the tests' Kafka. All functions block,
// and throw std::runtime_error if they fail.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "metriclog/log.h"

namespace monitor::metriclog::testing {

// The address of the Kafka that the test run started (from the file that MONITOR_TEST_SERVICES names).
std::string kafka_address();

void create_topic(const std::string& brokers, const std::string& topic, int partitions,
                  const std::vector<std::pair<std::string, std::string>>& settings = {});
void delete_topic(const std::string& brokers, const std::string& topic);
void add_partitions(const std::string& brokers, const std::string& topic, int total);
// Deletes the records of one partition below `before`.
void delete_records(const std::string& brokers, const std::string& topic, int32_t partition, int64_t before);
std::map<std::string, std::string> settings(const std::string& brokers, const std::string& topic);
int count_partitions(const std::string& brokers, const std::string& topic);

// The committed offset of the group in partition 0; negative if there is none.
int64_t committed_offset(const std::string& brokers, const std::string& group, const std::string& topic);
// Commits an offset as tools do that reset a group.
void commit_offset(const std::string& brokers, const std::string& group, const std::string& topic, int64_t offset);

// Waits until the log accepts records.
void wait_until_open(const LogWriter& writer);

}  // namespace monitor::metriclog::testing
