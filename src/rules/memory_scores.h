// The scores of series in memory, for unusual() in tests of rules and in replays. Pure functions.
#pragma once

#include <cstdint>
#include <vector>

#include "query/series.h"
#include "unusual/series_scorer.h"

namespace monitor::rules {

inline constexpr int64_t kMinuteMs = 60'000;

// The scores of the minutes that end from `from_ms` to `to_ms`, at their ends, as the history's. Points reach back as
// far as there are any, up to unusual::kReachMinutes. A series whose metric is named "..._total" is a counter.
std::vector<query::StoredSeries> scores_of(std::vector<query::StoredSeries> series, int64_t from_ms, int64_t to_ms);

}  // namespace monitor::rules
