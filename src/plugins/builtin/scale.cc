#include "plugins/builtin/scale.h"

#include <algorithm>

namespace monitor::agent {

void Scale::initialize(Options& options, metrics::SeriesTable& table) {
  table_ = &table;
  match_ = options.patterns("match");
  if (match_.empty()) options.refuse("match", "must have a pattern");
  factor_ = options.number("factor", 1, -1e300, 1e300);
  offset_ = options.number("offset", 0, -1e300, 1e300);
  unit_ = options.text("unit", "");
  targets_.emplace(table, [this, &table](metrics::SeriesId id) { return target_of(id, table); });
}

Scale::Target Scale::target_of(metrics::SeriesId id, metrics::SeriesTable& table) const {
  metrics::Series series = table.at(id);
  const bool matches =
      std::any_of(match_.begin(), match_.end(), [&](const SeriesPattern& p) { return p.matches(series); });
  if (!matches) return {id, false};
  series.integer = false;
  series.exponent = 0;
  if (!unit_.empty()) series.unit = unit_;
  return {table.intern(std::move(series)), true};
}

bool Scale::run(metrics::Tick& tick) {
  std::erase_if(tick.points, [this](metrics::Point& point) {
    const Target target = targets_->at(point.series);
    if (!target.id) return true;
    if (target.scaled) {
      point.real = table_->value(point) * factor_ + offset_;
      point.series = *target.id;
    }
    return false;
  });
  return !tick.points.empty();
}

}  // namespace monitor::agent
