// scale: multiplies the values of series that match `match` by `factor`, adds `offset`, and sets their unit to `unit`,
// if given. Scaled values are doubles.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plugins/api/plugin.h"

namespace monitor::agent {

class Scale final : public Plugin {
 public:
  void initialize(Options& options, metrics::SeriesTable& table) override;
  bool run(metrics::Tick& tick) override;
  std::string_view drop_reason() const override { return metrics::reason::kCardinality; }

 private:
  // The series of a point: nothing (the table is full), its own (no match), or the scaled one.
  struct Target {
    std::optional<metrics::SeriesId> id;
    bool scaled = false;
  };

  Target target_of(metrics::SeriesId id, metrics::SeriesTable& table) const;

  std::vector<SeriesPattern> match_;
  double factor_ = 1;
  double offset_ = 0;
  std::string unit_;
  metrics::SeriesTable* table_ = nullptr;
  std::optional<PerSeries<Target>> targets_;
};

}  // namespace monitor::agent
