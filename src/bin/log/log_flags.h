// The options that name a metric log, and functions to open it. The log is in Kafka unless --log names a file.
#pragma once

#include <CLI/CLI.hpp>

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "bin/common/cli.h"
#include "metriclog/kafka/kafka_log.h"
#include "metriclog/log.h"
#include "metriclog/open/open.h"

namespace monitor {

struct LogFlags {
  std::string log;  // empty: Kafka
  metriclog::KafkaOptions kafka;
  std::vector<std::string> kafka_properties;
  std::string kafka_properties_file;

  int partitions = 0;   // 0: not set
  int replication = 0;  // 0: not set
  int64_t retention_ns = int64_t{24} * 3600 * kNanosPerSecond;

  // The options that name a log. Set by add_log_options().
  std::vector<const CLI::Option*> naming = {};
  bool named() const;
  // "sqlite:/var/lib/monitor/log.db", "kafka:localhost:9092/monitoring-data"
  std::string address() const;
  Result<std::unique_ptr<metriclog::Log>> open() const;
};

void add_log_options(CLI::App& app, LogFlags& flags);
void add_log_writer_options(CLI::App& app, LogFlags& flags);

// If no option names a log, uses the first of these: the log of a running `monitor up` (Cli::running), which is
// reported in the program's log; with --data, log.db in that folder; Kafka at its default address. Returns an error
// text, or an empty string. Call before check_log_flags().
std::string resolve_log(const Cli& cli, LogFlags& flags);

// Completes the flags after parsing. Returns an error text, or an empty string.
std::string check_log_flags(LogFlags& flags);

// kInvalidArgument for an invalid Kafka property.
Result<std::unique_ptr<metriclog::LogWriter>> open_log_writer(const LogFlags& flags, const Clock& clock);
Result<std::unique_ptr<metriclog::LogReader>> open_log_reader(const LogFlags& flags,
                                                              const metriclog::ReaderOptions& options);
Result<std::unique_ptr<metriclog::LogBrowser>> open_log_browser(const LogFlags& flags);
// Opens the topic `name` of the same Kafka, for records that cannot be decoded.
Result<std::unique_ptr<metriclog::LogWriter>> open_dead_letter(const LogFlags& flags, const std::string& name);

// Logs a failure to read the log, and how to name one if no option did.
void report_log_failure(const char* what, const LogFlags& flags, const Error& error);

// The exit status for the last error of the log's writer or reader.
int exit_code_for_log(const LogFlags& flags, const Error& error);
// The same, for an error that may come from the output: a failed write ends the program with 74, as a damaged file
// does.
int exit_code_for_reading(const LogFlags& flags, const Error& error);

}  // namespace monitor
