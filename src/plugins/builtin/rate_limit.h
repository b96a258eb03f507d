// rate_limit: passes at most `ticks` (1) in every period `per` (1 s), starting with the first tick, and drops the
// others.
#pragma once

#include "plugins/api/plugin.h"

namespace monitor::agent {

class RateLimit final : public Plugin {
 public:
  void initialize(Options& options, metrics::SeriesTable& table) override;
  bool run(metrics::Tick& tick) override;
  std::string_view drop_reason() const override { return metrics::reason::kRateLimited; }

 private:
  int64_t ticks_ = 1;
  int64_t per_ns_ = 0;
  int64_t window_start_ns_ = 0;
  int64_t passed_ = 0;
  bool started_ = false;
};

}  // namespace monitor::agent
