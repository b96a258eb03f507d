#include "ui/top/totals.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace monitor::analysis::top {

namespace {

constexpr size_t kMeans = 2;  // the first two figures are averaged, the others summed
struct Sum {
  double value = 0;
  size_t count = 0;

  void add(double more) {
    value += more;
    ++count;
  }
  double of(size_t figure) const { return figure < kMeans ? value / static_cast<double>(count) : value; }
};

// An agent's last value also counts for steps after its newest tick.
void add_past(const Past& past, size_t figure, int64_t end_ns, std::array<Sum, Past::kSteps>& sums) {
  const auto& steps = past.steps(figure);
  if (steps.empty()) return;
  const auto behind = std::clamp<int64_t>(elapsed_ns(past.end_ns(), end_ns) / Past::kStep, 0, Past::kSteps);
  for (size_t back = 0; back < Past::kSteps; ++back) {
    const size_t own = back < static_cast<size_t>(behind) ? 0 : back - static_cast<size_t>(behind);
    if (own >= steps.size()) break;
    const float value = steps[steps.size() - 1 - own];
    if (std::isfinite(value)) sums[Past::kSteps - 1 - back].add(value);
  }
}

}  // namespace

Totals totals_of(std::span<const LiveAgent* const> agents) {
  int64_t end_ns = 0;
  std::array<Sum, kFigures> now;
  for (const LiveAgent* const agent : agents) {
    end_ns = std::max(end_ns, agent->past.end_ns());
    const Figures figures = agent->figures();
    for (size_t i = 0; i < kFigures; ++i) {
      if (figures[i]) now[i].add(*figures[i]);
    }
  }
  Totals totals;
  for (size_t i = 0; i < kFigures; ++i) {
    if (now[i].count > 0) totals.figures[i] = now[i].of(i);
    std::array<Sum, Past::kSteps> sums;
    for (const LiveAgent* const agent : agents) add_past(agent->past, i, end_ns, sums);
    for (const Sum& sum : sums) {
      totals.past[i].push_back(sum.count > 0 ? static_cast<float>(sum.of(i)) : std::numeric_limits<float>::quiet_NaN());
    }
  }
  return totals;
}

}  // namespace monitor::analysis::top
