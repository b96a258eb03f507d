// my_plugin: the example of docs/plugins.md. Adds the label `label` (team) with the value `value` (ops) to
// every series.
#pragma once

#include <optional>

#include "plugins/api/plugin.h"

namespace monitor::agent {

class MyPlugin final : public Plugin {
 public:
  void initialize(Options& options, metrics::SeriesTable& table) override;
  bool run(metrics::Tick& tick) override;
  std::string_view drop_reason() const override { return metrics::reason::kCardinality; }

 private:
  std::optional<PerSeries<std::optional<metrics::SeriesId>>> labelled_;
};

}  // namespace monitor::agent
