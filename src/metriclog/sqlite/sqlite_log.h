// The metric log in one SQLite file, for one machine: what `monitor up` uses.
//
// PATH          records(offset, time_ns, key, headers JSON, value), meta(key, value); WAL, synchronous=FULL
//               writers(...): the writer's heartbeat (metriclog/browser.h)
// PATH-groups.db     where each group of readers stands; written by readers alone
// PATH-writer        held by the one writer; its change time moves after each commit, which readers watch
// PATH-group-G.lock  held by group G's one active reader
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
  std::string program = "monitor-server";  // shown to other writers of the same file, and in heartbeats
  std::string host = {};                   // for heartbeats
  int64_t retention_ns = int64_t{24} * 3600 * kNanosPerSecond;  // by the log's own time; 0: forever
  // Whether to trust the first reading of the wall clock: see trusted_clock.h.
  TrustedClock::Start clock_start = TrustedClock::Start::kUnknown;
  int64_t commit_every_ns = 10 * kNanosPerMilli;  // minimum time between commits; the first of a burst is immediate
  size_t max_queue_records = 100'000;             // accepted and unreported; above it append() returns kFull
  size_t max_queue_bytes = 64U << 20;
  size_t max_record_bytes = 1U << 20;  // a larger record is rejected
  const char* vfs = nullptr;           // SQLite's file system layer; null: the default
};

// Creates the file and its folder if missing. Errors: kDataLoss (damaged), kPermissionDenied, kResourceExhausted (disk
// full), kAborted (another process writes it), kFailedPrecondition (newer version, or not a metric log). The clock
// stamps records and ages them; it must outlive the writer.
Result<std::unique_ptr<LogWriter>> open_sqlite_writer(const SqliteWriterOptions& options, const Clock& clock);

// A reader never writes the log. It waits for a file that does not exist yet.
Result<std::unique_ptr<LogReader>> open_sqlite_reader(const std::string& path, const ReaderOptions& options);

// Opens the file for each call, so it may appear later or be replaced.
std::unique_ptr<LogBrowser> open_sqlite_browser(const std::string& path);

}  // namespace monitor::metriclog
