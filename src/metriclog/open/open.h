// The metric log at an address, whatever keeps it: open() gives what makes its writers, readers and browsers.
//
//   sqlite:PATH                     a file                (metriclog/sqlite)
//   kafka:HOST:PORT[,...]/TOPIC     a topic on Kafka      (metriclog/kafka)
//
// A new backend is a folder that implements Log, and a line in open.cc. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "metriclog/browser.h"
#include "metriclog/log.h"

namespace monitor::metriclog {

// What a backend does not have is ignored.
struct WriterOptions {
  int partitions = 0;                                           // of a log that is made; 0: the backend's own number
  int replication = 0;                                          // copies likewise
  int64_t retention_ns = int64_t{24} * 3600 * kNanosPerSecond;  // 0: for ever
  std::string host = {};                                        // of heartbeats
};

class Log {
 public:
  virtual ~Log() = default;

  // None of them needs the log to be reachable. Errors: kInvalidArgument for a setting that the backend refuses; those
  // of open_sqlite_writer() for a file. The clock must outlive the writer.
  virtual Result<std::unique_ptr<LogWriter>> writer(const WriterOptions& options, const Clock& clock) const = 0;
  virtual Result<std::unique_ptr<LogReader>> reader(const ReaderOptions& options) const = 0;
  virtual Result<std::unique_ptr<LogBrowser>> browser() const = 0;
  // Keeps records that could not be decoded, beside the log under that name. kFailedPrecondition: the backend has no
  // place for them.
  virtual Result<std::unique_ptr<LogWriter>> dead_letters(const std::string& name) const = 0;

  virtual bool has_dead_letters() const { return false; }
  // The log is a file of this machine, not a service: its errors are the disk's.
  virtual bool is_file() const { return false; }
};

// Settings of the backend's client, as librdkafka's.
using LogSettings = std::vector<std::pair<std::string, std::string>>;

// kInvalidArgument: no such backend, or not an address of its form.
Result<std::unique_ptr<Log>> open(std::string_view address, const LogSettings& settings = {});

}  // namespace monitor::metriclog
