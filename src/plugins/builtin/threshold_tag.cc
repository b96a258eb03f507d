#include "plugins/builtin/threshold_tag.h"

#include <algorithm>

namespace monitor::agent {

namespace {

constexpr std::array<const char*, 2> kLevels = {"warning", "critical"};

}  // namespace

void ThresholdTag::initialize(Options& options, metrics::SeriesTable& table) {
  table_ = &table;
  match_ = options.patterns("match");
  if (match_.empty()) options.refuse("match", "must have a pattern");
  label_ = options.text("label", "level");
  below_ = options.one_of("side", "above", {"above", "below"}) == "below";
  const double warning = options.number("warning", 0, -1e300, 1e300);
  const double critical = options.number("critical", 0, -1e300, 1e300);
  if (options.has("warning")) warning_ = warning;
  if (options.has("critical")) critical_ = critical;
  if (!warning_ && !critical_) options.refuse("warning", "\"warning\" or \"critical\" must be a number");
  if (warning_ && critical_ && (below_ ? critical > warning : critical < warning)) {
    options.refuse("critical", "must be more extreme than \"warning\"");
  }
  targets_.emplace(table, [this](metrics::SeriesId id) { return target_of(id); });
}

ThresholdTag::Target ThresholdTag::target_of(metrics::SeriesId id) const {
  const metrics::Series& from = table_->at(id);
  Target target;
  target.matches =
      std::any_of(match_.begin(), match_.end(), [&](const SeriesPattern& pattern) { return pattern.matches(from); });
  for (size_t level = 0; target.matches && level < kLevels.size(); ++level) {
    metrics::Series to = from;
    metrics::set_label(to.labels, label_, kLevels.at(level));
    target.levels.at(level) = table_->intern(std::move(to));
  }
  return target;
}

bool ThresholdTag::run(metrics::Tick& tick) {
  const auto reached = [this](const std::optional<double>& limit, double value) {
    return limit && (below_ ? value <= *limit : value >= *limit);
  };
  std::erase_if(tick.points, [&](metrics::Point& point) {
    const Target& target = targets_->at(point.series);
    if (!target.matches) return false;
    const double value = table_->value(point);
    const bool critical = reached(critical_, value);
    if (!critical && !reached(warning_, value)) return false;
    const auto& to = target.levels.at(critical ? 1 : 0);
    if (to) point.series = *to;
    return !to;
  });
  return !tick.points.empty();
}

}  // namespace monitor::agent
