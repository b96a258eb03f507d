// A plugin for tests of reloads: adds a label `generation` (compiled in) and a point `counter.ticks`, the number of
// ticks that it has seen. It hands this number over to the next version.
#include <utility>

#include "plugin.hpp"

#ifndef GENERATION
#define GENERATION "1"
#endif

namespace {

class Counter final : public monitor::sdk::Plugin {
 public:
  void initialize(monitor::sdk::Options& options) override {
    if (options.boolean("refuse", false)) options.refuse("refuse", "asked to");
    instead_ = options.boolean("instead", false);
    monitor::sdk::Series series;
    series.name = "counter.ticks";
    series.unit = "1";
    series.counter = true;
    series.labels["generation"] = GENERATION;
    id_ = host().intern(series);
  }
  bool run(monitor::sdk::Batch& batch) override {
    bool one = instead_;
    batch.remove_if([&](auto) { return std::exchange(one, false); });
    batch.add(id_, static_cast<double>(++ticks_));
    return true;
  }
  std::string save() override { return std::to_string(ticks_); }
  void restore(std::string_view state) override { ticks_ = std::stoll(std::string(state)); }

 private:
  monitor::sdk::SeriesId id_ = 0;
  int64_t ticks_ = 0;
  bool instead_ = false;  // replace another point
};

}  // namespace

MONITOR_PLUGIN(Counter, "counter", GENERATION)
