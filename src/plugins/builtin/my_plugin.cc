#include "plugins/builtin/my_plugin.h"

namespace monitor::agent {

void MyPlugin::initialize(Options& options, metrics::SeriesTable& table) {
  const std::string label = options.text("label", "team");
  const std::string value = options.text("value", "ops");
  // Computed once per series instead of for every point.
  labelled_.emplace(table, [&table, label, value](metrics::SeriesId id) {
    metrics::Series series = table.at(id);
    metrics::set_label(series.labels, label, value);
    return table.intern(std::move(series));
  });
}

bool MyPlugin::run(metrics::Tick& tick) {
  std::erase_if(tick.points, [this](metrics::Point& point) {
    const auto id = labelled_->at(point.series);
    if (id) point.series = *id;
    return !id;
  });
  return !tick.points.empty();
}

}  // namespace monitor::agent
