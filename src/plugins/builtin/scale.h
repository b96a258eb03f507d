// scale: multiplies the values of the series that match `match` by `factor`, adds `offset`, and gives them `unit`,
// where it is set. Scaled values are doubles.
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
  // Where a point goes: nowhere (the table is full), its own series (no match), or a scaled one.
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
