// deduplication: drops unchanged values. With `"scope": "tick"` (the default), it drops a tick if no value differs by
// more than `tolerance` from the last tick that passed. With `"scope": "series"`, it drops the unchanged points. At
// least one tick or point passes every `max_silence` (60 s), so that a silent agent can be distinguished from a dead
// one.
#pragma once

#include <string>
#include <vector>

#include "plugins/api/plugin.h"

namespace monitor::agent {

class Deduplication final : public Plugin {
 public:
  void initialize(Options& options, metrics::SeriesTable& table) override;
  bool run(metrics::Tick& tick) override;
  std::string_view drop_reason() const override { return metrics::reason::kUnchanged; }
  void forget_series(const std::vector<metrics::SeriesId>& gone) override;
  std::string save() const override;
  void restore(std::string_view state) override;

 private:
  // The last value of a series that passed.
  struct Last {
    double value = 0;
    int64_t mono_ns = 0;
    bool seen = false;
  };

  Last& last(metrics::SeriesId id);
  bool moved(const metrics::Point& point, int64_t now);
  bool run_by_series(metrics::Tick& tick);
  bool run_by_tick(metrics::Tick& tick);

  metrics::SeriesTable* table_ = nullptr;
  double tolerance_ = 0;
  int64_t max_silence_ns_ = 0;
  bool by_series_ = false;
  std::vector<Last> last_;
  std::vector<metrics::SeriesId> last_series_;  // of the last tick that passed
  int64_t last_forwarded_ns_ = 0;
  bool forwarded_any_ = false;
};

}  // namespace monitor::agent
