// rename: `names` maps metric names to new ones, `labels` label names to new ones. Values and units stay.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "plugins/api/plugin.h"

namespace monitor::agent {

class Rename final : public Plugin {
 public:
  void initialize(Options& options, metrics::SeriesTable& table) override;
  bool run(metrics::Tick& tick) override;
  // A point is lost only if the table of series is full.
  std::string_view drop_reason() const override { return metrics::reason::kCardinality; }

 private:
  std::map<std::string, std::string> names_;
  std::map<std::string, std::string> labels_;
  std::optional<PerSeries<std::optional<metrics::SeriesId>>> renamed_;
};

}  // namespace monitor::agent
