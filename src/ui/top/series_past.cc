#include "ui/top/series_past.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace monitor::analysis::top {

namespace {

constexpr float kNone = std::numeric_limits<float>::quiet_NaN();

}  // namespace

void SeriesPast::add(Ring& ring, float value) {
  if (ring.steps.size() < kSteps) {
    ring.at = ring.steps.size();
    ring.steps.push_back(value);
    return;
  }
  ring.at = (ring.at + 1) % kSteps;
  ring.steps[ring.at] = value;
}

// The value of this step. A value that has not changed its time since the last step is none.
float SeriesPast::next(Ring& ring, const LiveValue& value) {
  const bool first = ring.last_ns == 0;
  if (value.time_ns == ring.last_ns) return kNone;
  ring.last_ns = value.time_ns;
  if (value.series.kind != metrics::Kind::kCounter) return static_cast<float>(value.value);
  const double before = ring.counter;
  ring.counter = value.value;
  return first || value.value < before ? kNone : static_cast<float>(value.value - before);
}

void SeriesPast::note(const LiveAgent& agent) {
  const int64_t step = agent.tick_ns / kStep;
  auto found = agents_.find(agent.name);
  if (found == agents_.end()) {
    if (agents_.size() >= kMaxAgents) return;
    found = agents_.emplace(agent.name, Agent{}).first;
  }
  Agent& known = found->second;
  // The fleet has forgotten the agent, or its values: their places have changed.
  if (known.first_ns != agent.first_ns || agent.values.size() < known.rings.size()) {
    series_ -= known.rings.size();
    known = {.first_ns = agent.first_ns};
  }
  if (step == known.step || agent.values.empty()) return;
  const size_t more = agent.values.size() - known.rings.size();
  if (series_ + more > kMaxSeries) return;
  known.rings.resize(agent.values.size());
  series_ += more;
  const auto missed = known.step == 0 ? 0 : static_cast<size_t>(std::clamp<int64_t>(step - known.step - 1, 0, kSteps));
  // An agent with a long interval has no value in some steps. That is no gap.
  const bool joined = elapsed_ns(known.step * kStep, step * kStep) <= 2 * std::max(agent.interval_ns, kStep);
  for (size_t i = 0; i < agent.values.size(); ++i) {
    Ring& ring = known.rings[i];
    const float between = joined && !ring.steps.empty() ? ring.steps[ring.at] : kNone;
    for (size_t gap = 0; !ring.steps.empty() && gap < missed; ++gap) add(ring, between);
    add(ring, next(ring, agent.values[i]));
  }
  known.step = step;
}

std::vector<float> SeriesPast::steps(const LiveAgent& agent, size_t index) const {
  const auto found = agents_.find(agent.name);
  if (found == agents_.end() || index >= found->second.rings.size()) return {};
  const Ring& ring = found->second.rings[index];
  std::vector<float> out;
  out.reserve(ring.steps.size());
  for (size_t i = 1; i <= ring.steps.size(); ++i) out.push_back(ring.steps[(ring.at + i) % ring.steps.size()]);
  return out;
}

}  // namespace monitor::analysis::top
