// Reads the minutes of series from the history: what scores are computed from.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "metrics/series.h"
#include "unusual/series_scorer.h"
#include "views/history/query.h"

namespace monitor::analysis::unusual {

using monitor::unusual::Extremes;
using monitor::unusual::SeriesScorer;

inline constexpr int64_t kMinuteNs = 60 * kNanosPerSecond;

// The minute of a time, numbered from 1970; also correct before.
constexpr int64_t minute_of(int64_t time_ns) { return bucket_of(time_ns, kMinuteNs) / kMinuteNs; }

struct MinutesRequest {
  std::string agent;
  std::function<bool(const metrics::Series&)> selects = {};  // nothing: all
  int64_t from = 0;                                          // minutes
  int64_t to = 0;                                            // exclusive
  // Called before each part of the time is read; an error ends the reading.
  std::function<Status()> check = {};
};

// Calls `visit` for parts of each series, in ascending order of time for each. Reads in parts, so that the memory for
// it is bounded. Errors: those of the disk, and of `check`.
Status read_minutes(history::HistoryReader& reader, const MinutesRequest& request,
                    const std::function<void(const history::RangeSeries& part)>& visit);

SeriesScorer scorer_of(const metrics::Series& series);

// The values of a part's minute, and its number.
inline Extremes extremes_at(const history::RangeSeries& part, size_t i) { return {part.min[i], part.max[i]}; }
inline int64_t minute_at(const history::RangeSeries& part, size_t i) { return minute_of(part.times_ns[i]); }

}  // namespace monitor::analysis::unusual
