// The JSON of `monitor-analysis log-settings`, parsed. It comes from another program, so everything is checked. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace monitor::doctor {

struct TopicFacts {
  std::string name;
  bool exists = false;
  int64_t partitions = 0;
  int64_t replication = 0;  // the smallest of its partitions
  int64_t in_sync = 0;      // likewise
  int64_t leaderless = 0;   // partitions without a leader
  std::map<std::string, std::string> settings = {};

  // The setting as a number; `otherwise` if it is missing or not a number.
  int64_t number(const std::string& setting, int64_t otherwise) const;
};

struct LogFacts {
  std::string backend;  // kafka, sqlite
  std::string address;
  std::string error;  // why it cannot be read; empty: it can
  int64_t brokers = 0;
  int64_t max_record_bytes = 0;  // what the server may write at once
  std::vector<TopicFacts> topics = {};
};

Result<LogFacts> parse_log_settings(std::string_view json);

}  // namespace monitor::doctor
