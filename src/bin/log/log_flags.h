// The options with which a program names the metric log, and what opens it. Kafka unless --log names a file.
#pragma once

#include <CLI/CLI.hpp>

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "bin/common/cli.h"
#include "metriclog/browser.h"
#include "metriclog/kafka/kafka_log.h"
#include "metriclog/log.h"

namespace monitor {

struct LogFlags {
  std::string log;  // empty: Kafka
  metriclog::KafkaOptions kafka;
  std::vector<std::string> kafka_properties;
  std::string kafka_properties_file;

  // Of the writer.
  int partitions = 0;   // 0: not named
  int replication = 0;  // 0: not named
  int64_t retention_ns = int64_t{24} * 3600 * kNanosPerSecond;

  // What names a log; filled by add_log_options().
  std::vector<const CLI::Option*> naming = {};
  bool named() const;
  bool on_kafka() const { return log.empty(); }
  // For people: "sqlite:/var/lib/monitor/log.db", "kafka:localhost:9092/monitoring-data".
  std::string describe() const;
};

void add_log_options(CLI::App& app, LogFlags& flags);
void add_log_writer_options(CLI::App& app, LogFlags& flags);

// Where no log is named: takes that of a running `monitor up` (Cli::running), and logs it; nothing runs there, and
// --data names a folder with a log.db: takes that. Else it stays Kafka's default. Returns what is wrong. Before
// check_log_flags().
std::string resolve_log(const Cli& cli, LogFlags& flags);

// Completes the flags after parsing. What is wrong beyond their form; empty when nothing is.
std::string check_log_flags(LogFlags& flags);

// kInvalidArgument: a Kafka property.
Result<std::unique_ptr<metriclog::LogWriter>> open_log_writer(const LogFlags& flags, const Clock& clock);
Result<std::unique_ptr<metriclog::LogReader>> open_log_reader(const LogFlags& flags,
                                                              const metriclog::ReaderOptions& options);
Result<std::unique_ptr<metriclog::LogBrowser>> open_log_browser(const LogFlags& flags);
// A topic for what cannot be decoded.
Result<std::unique_ptr<metriclog::LogWriter>> open_dead_letter(const LogFlags& flags, const std::string& topic);

// Logs that reading the log failed; where none was named, with the options that name one.
void report_log_failure(const char* what, const LogFlags& flags, const Error& error);

// The exit status for what the log's writer or reader said last.
int exit_code_for_log(const LogFlags& flags, const Error& error);
// The same where the error may be the output's, too: one that cannot be written ends with 74, as a damaged file does.
int exit_code_for_reading(const LogFlags& flags, const Error& error);

}  // namespace monitor
