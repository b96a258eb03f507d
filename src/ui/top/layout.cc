#include "ui/top/layout.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace monitor::analysis::top {

namespace {

constexpr size_t kWide = 118;
constexpr size_t kNarrowest = 6;  // width of a sparkline
constexpr size_t kLines = 4;
constexpr size_t kMeans = 2;  // the first two figures are averaged, the others summed
// Columns that the table needs with the narrowest sparklines and names.
constexpr size_t kTaken = 78;
constexpr size_t kTakenWide = 114;

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

Columns columns_for(size_t width) {
  Columns columns{.wide = width >= kWide, .agent = 15, .host = 0, .spark = kNarrowest};
  if (columns.wide) columns.agent = 24;
  if (columns.wide) columns.host = 18;
  const size_t taken = columns.wide ? kTakenWide : kTaken;
  if (width <= taken) return columns;
  const size_t spare = width - taken;
  columns.spark = std::min(kNarrowest + spare / kLines, Past::kSteps);
  columns.agent += spare - (columns.spark - kNarrowest) * kLines;
  return columns;
}

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
