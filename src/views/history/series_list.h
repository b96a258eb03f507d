// Lists the history's series without their values: for the names of metrics, labels and label values.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "query/labels.h"
#include "query/matcher.h"
#include "views/history/query.h"

namespace monitor::analysis::history {

struct SeriesListRequest {
  // A series is listed if one of them finds it, or if there is none.
  std::vector<std::vector<query::Matcher>> selectors = {};
  // Agents whose newest record is older are left out.
  int64_t from_ms = INT64_MIN;
  // Whether a series comes in both spellings if a selector finds both, or names no metric; otherwise once, as a query
  // with this selector would give it.
  bool both_spellings = false;
  std::function<Status()> check = {};  // called now and then; an error ends the list
};

// Calls `visit` with the labels of each series, agent by agent. `visit` returns false to end the list. Series with
// equal labels come once for each agent that has them. Errors: those of the disk, and of `check`.
Status list_series(HistoryReader& reader, const SeriesListRequest& request,
                   const std::function<bool(const query::Labels& labels)>& visit);

}  // namespace monitor::analysis::history
