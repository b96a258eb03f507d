#include "plugins/builtin/rename.h"

namespace monitor::agent {

void Rename::initialize(Options& options, metrics::SeriesTable& table) {
  for (auto& [from, to] : options.texts("names")) {
    if (to.empty()) options.refuse("names", "a new name must not be empty");
    names_.emplace(from, to);
  }
  for (auto& [from, to] : options.texts("labels")) {
    if (to.empty()) options.refuse("labels", "a new name must not be empty");
    labels_.emplace(from, to);
  }
  if (names_.empty() && labels_.empty()) options.refuse("names", "\"names\" or \"labels\" must have an entry");
  renamed_.emplace(table, [this, &table](metrics::SeriesId id) {
    metrics::Series series = table.at(id);
    const auto name = names_.find(series.name);
    if (name != names_.end()) series.name = name->second;
    metrics::Labels labels;
    for (const auto& [key, value] : series.labels) {
      const auto label = labels_.find(key);
      metrics::set_label(labels, label == labels_.end() ? key : label->second, value);
    }
    series.labels = std::move(labels);
    return table.intern(std::move(series));
  });
}

bool Rename::run(metrics::Tick& tick) {
  std::erase_if(tick.points, [this](metrics::Point& point) {
    const auto id = renamed_->at(point.series);
    if (id) point.series = *id;
    return !id;
  });
  return !tick.points.empty();
}

}  // namespace monitor::agent
