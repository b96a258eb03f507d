#include "plugins/builtin/filter.h"

#include <algorithm>

namespace monitor::agent {

void Filter::initialize(Options& options, metrics::SeriesTable& table) {
  keep_ = options.patterns("keep");
  drop_ = options.patterns("drop");
  if (keep_.empty() && drop_.empty()) options.refuse("keep", "\"keep\" or \"drop\" must have a pattern");
  stays_.emplace(table, [this, &table](metrics::SeriesId id) { return stays(table.at(id)); });
}

bool Filter::stays(const metrics::Series& series) const {
  const auto matches = [&](const SeriesPattern& pattern) { return pattern.matches(series); };
  if (!keep_.empty() && std::none_of(keep_.begin(), keep_.end(), matches)) return false;
  return std::none_of(drop_.begin(), drop_.end(), matches);
}

bool Filter::run(metrics::Tick& tick) {
  std::erase_if(tick.points, [this](const metrics::Point& point) { return !stays_->at(point.series); });
  return !tick.points.empty();
}

}  // namespace monitor::agent
