// The metric log in one SQLite file, for a single machine. `monitor up` uses it.
//
// PATH          records(offset, time_ns, key, headers JSON, value), meta(key, value); WAL, synchronous=FULL
//               writers(...): the writer's heartbeat (metriclog/browser.h)
// PATH-groups.db     positions of each group of readers; written only by readers
// PATH-writer        lock of the only writer; its change time is updated after each commit, which readers watch
// PATH-group-G.lock  lock of the only active reader of group G
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "base/trusted_clock.h"
#include "metriclog/browser.h"
#include "metriclog/log.h"

namespace monitor::metriclog {

struct SqliteWriterOptions {
  std::string path = {};
  std::string program = "monitor-server";  // named to other writers of the same file, and in heartbeats
  std::string host = {};                   // for heartbeats
  int64_t retention_ns = int64_t{24} * 3600 * kNanosPerSecond;  // by the log's own clock; 0: forever
  // Whether to trust the first reading of the wall clock (trusted_clock.h).
  TrustedClock::Start clock_start = TrustedClock::Start::kUnknown;
  int64_t commit_every_ns =
      10 * kNanosPerMilli;             // minimum time between commits; the first commit of a burst is immediate
  size_t max_queue_records = 100'000;  // accepted and unreported; above this, append() returns kFull
  size_t max_queue_bytes = 64U << 20;
  size_t max_record_bytes = 1U << 20;  // a larger record is rejected
  const char* vfs = nullptr;           // SQLite's file system layer; nullptr: the default
};

// Creates the file and its folder if missing. Errors: kDataLoss (damaged), kPermissionDenied, kResourceExhausted (disk
// full), kAborted (another process writes it), kFailedPrecondition (newer version, or not a metric log). The clock
// stamps records and ages them; it must outlive the writer.
Result<std::unique_ptr<LogWriter>> open_sqlite_writer(const SqliteWriterOptions& options, const Clock& clock);

// A reader never writes to the log. It waits for a file that does not exist yet.
Result<std::unique_ptr<LogReader>> open_sqlite_reader(const std::string& path, const ReaderOptions& options);

// Opens the file for each call, so the file may appear later or be replaced.
std::unique_ptr<LogBrowser> open_sqlite_browser(const std::string& path);

}  // namespace monitor::metriclog
