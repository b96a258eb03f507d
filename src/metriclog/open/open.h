// The metric log at an address: open() returns the factory of its writers, readers and browsers.
//
//   sqlite:PATH                     a file                (metriclog/sqlite)
//   kafka:HOST:PORT[,...]/TOPIC     a topic on Kafka      (metriclog/kafka)
//
// To add a backend, add a folder that implements Log, and a line in open.cc. Thread-safe.
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

// A backend ignores options that it does not have.
struct WriterOptions {
  int partitions = 0;   // partition count of a log that is created; 0: the backend's default
  int replication = 0;  // number of replicas; 0: the backend's default
  int64_t retention_ns = int64_t{24} * 3600 * kNanosPerSecond;  // 0: forever
  std::string host = {};                                        // named in heartbeats
  // For records other than batches, which another program reads: no heartbeats, and no place for snapshots.
  bool plain = false;
};

class Log {
 public:
  virtual ~Log() = default;

  // These do not need the log to be reachable. Errors: kInvalidArgument for a setting that the backend rejects; for a
  // file, those of open_sqlite_writer(). The clock must outlive the writer.
  virtual Result<std::unique_ptr<LogWriter>> writer(const WriterOptions& options, const Clock& clock) const = 0;
  virtual Result<std::unique_ptr<LogReader>> reader(const ReaderOptions& options) const = 0;
  virtual Result<std::unique_ptr<LogBrowser>> browser() const = 0;
  // Opens a place next to the log, with that name, for records that could not be decoded. kFailedPrecondition: the
  // backend has no such place.
  virtual Result<std::unique_ptr<LogWriter>> dead_letters(const std::string& name) const = 0;

  virtual bool has_dead_letters() const { return false; }
  // True if the log is a file on this machine instead of a service: its errors are those of the disk.
  virtual bool is_file() const { return false; }
};

// Settings of the backend's client; for Kafka, librdkafka's properties.
using LogSettings = std::vector<std::pair<std::string, std::string>>;

// kInvalidArgument: the backend does not exist, or the address is malformed.
Result<std::unique_ptr<Log>> open(std::string_view address, const LogSettings& settings = {});

}  // namespace monitor::metriclog
