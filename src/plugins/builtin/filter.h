// filter: `keep` and `drop` are patterns of series. With `keep`, only matching points pass; points that match `drop`
// never pass. A tick without remaining points is dropped.
#pragma once

#include <optional>
#include <vector>

#include "plugins/api/plugin.h"

namespace monitor::agent {

class Filter final : public Plugin {
 public:
  void initialize(Options& options, metrics::SeriesTable& table) override;
  bool run(metrics::Tick& tick) override;

 private:
  bool stays(const metrics::Series& series) const;

  std::vector<SeriesPattern> keep_;
  std::vector<SeriesPattern> drop_;
  std::optional<PerSeries<bool>> stays_;
};

}  // namespace monitor::agent
