// RecordedData: the measurements that rules are compared with. They come from the history of the page, or from a metric
// log, which is read into a temporary history, so that both answer a query in the same way.
//
// One thread. Reading a log blocks SIGINT and SIGTERM meanwhile, and ends when one of them comes, so that the temporary
// files are always removed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "bin/log/log_flags.h"
#include "query/series.h"
#include "rules/unit_test_run.h"

namespace monitor {

class RecordedData {
 public:
  virtual ~RecordedData() = default;

  // Errors: there is no history, or it cannot be read.
  static Result<std::unique_ptr<RecordedData>> of_history(const std::string& path);
  // Reads what the log stored from `from_ns` on, and up to an hour after `to_ns`, because data arrives late. Errors:
  // kInvalidArgument for options that are not valid, kUnavailable if the log cannot be read, kResourceExhausted if it
  // holds more than a temporary history may.
  // `agents`: also what was known of agents, for agent_state() and its like.
  static Result<std::unique_ptr<RecordedData>> of_log(LogFlags& flags, int64_t from_ns, int64_t to_ns, bool agents);

  // Valid as long as this object.
  virtual query::SeriesSource& source() = 0;
};

// `samples: log:ADDRESS FROM..TO` of a unit test. FROM and TO are times (2026-11-22T12:00:00Z) or ages (-1d). ADDRESS
// is sqlite:PATH, or kafka:HOST:PORT[,...][/TOPIC] with the client's properties of `flags`.
Result<rules::RecordedSamples> recorded_samples(const std::string& spec, const LogFlags& flags);

}  // namespace monitor
