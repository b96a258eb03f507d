// SeriesPast: the last five minutes of every series of every agent, in steps of 5 s, for the sparklines of a host's
// page. Takes its values from a Fleet, once per agent and step, so that it costs little beside the fleet itself.
//
// Not thread-safe. Bounded: agents beyond kMaxAgents, or beyond kMaxSeries series, have no past.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "views/fleet/fleet.h"

namespace monitor::analysis::top {

class SeriesPast {
 public:
  static constexpr int64_t kStep = Past::kStep;
  static constexpr size_t kSteps = Past::kSteps;
  static constexpr size_t kMaxAgents = 20'000;
  static constexpr size_t kMaxSeries = 100'000;  // about 30 MB

  // After the fleet has changed this agent.
  void note(const LiveAgent& agent);
  // Of LiveAgent::values[index], the newest last; of a counter: what it grew by. NaN: there was no value.
  std::vector<float> steps(const LiveAgent& agent, size_t index) const;
  size_t series() const { return series_; }

 private:
  struct Ring {
    std::vector<float> steps;  // at most kSteps; the newest at `at`
    size_t at = 0;
    double counter = 0;  // the last value of a counter
    int64_t last_ns = 0;
  };
  struct Agent {
    int64_t first_ns = 0;  // LiveAgent::first_ns
    int64_t step = 0;
    std::vector<Ring> rings;  // by index in LiveAgent::values
  };
  static void add(Ring& ring, float value);
  static float next(Ring& ring, const LiveValue& value);

  std::map<std::string, Agent, std::less<>> agents_;
  size_t series_ = 0;
};

}  // namespace monitor::analysis::top
