// threshold_tag: labels points that match `match`. A value of at least `warning` or `critical` gets the label `label`
// (level) with that word as value; with `"side": "below"`, a value of at most that. Other points are unchanged.
#pragma once

#include <array>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "plugins/api/plugin.h"

namespace monitor::agent {

class ThresholdTag final : public Plugin {
 public:
  void initialize(Options& options, metrics::SeriesTable& table) override;
  bool run(metrics::Tick& tick) override;
  // A point is lost only if the table of series is full.
  std::string_view drop_reason() const override { return metrics::reason::kCardinality; }

 private:
  // The series of a point for each level; nothing: the table is full.
  struct Target {
    bool matches = false;
    std::array<std::optional<metrics::SeriesId>, 2> levels;
  };

  Target target_of(metrics::SeriesId id) const;

  std::vector<SeriesPattern> match_;
  std::string label_;
  std::optional<double> warning_;
  std::optional<double> critical_;
  bool below_ = false;
  metrics::SeriesTable* table_ = nullptr;
  std::optional<PerSeries<Target>> targets_;
};

}  // namespace monitor::agent
