#include "views/fleet/past.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace monitor::analysis {

namespace {

constexpr float kGap = std::numeric_limits<float>::quiet_NaN();

int64_t step_of(int64_t time_ns) { return time_ns - time_ns % Past::kStep; }

// True if no value is missing within a distance, compared with a `usual` one: ticks may be late by most of an interval,
// and averages lie anywhere within the time that they cover.
bool reaches(int64_t distance_ns, int64_t usual_ns, int64_t width_ns) {
  return (distance_ns - width_ns) / 7 * 4 <= usual_ns;
}

template <typename T>
void trim(std::deque<T>& steps) {
  while (steps.size() > Past::kSteps) steps.pop_front();
}

}  // namespace

void Past::note(int64_t time_ns, const Figures& figures, uint64_t change, int64_t width_ns) {
  advance(step_of(time_ns), change);
  if (changes_.empty()) return;
  for (size_t i = 0; i < kFigures; ++i) {
    if (figures[i]) take(lines_[i], time_ns, *figures[i], width_ns, change);
  }
}

size_t Past::changed_after(uint64_t change) const {
  const auto first = std::ranges::find_if(changes_, [change](uint64_t one) { return one > change; });
  return static_cast<size_t>(changes_.end() - first);
}

void Past::advance(int64_t begin_ns, uint64_t change) {
  if (begin_ns == end_ns_) return;
  const auto count = std::clamp<int64_t>(elapsed_ns(end_ns_, begin_ns) / kStep, 0, kSteps);
  for (Line& line : lines_) {
    for (int64_t left = count; left-- > 0;) {
      const int64_t since = elapsed_ns(line.last_ns, begin_ns - left * kStep);
      const bool held = line.last_ns != 0 && reaches(since, line.distance_ns, 0);
      line.steps.push_back(held ? line.last : kGap);
    }
    trim(line.steps);
    line.sum = 0;
    line.count = 0;
  }
  changes_.insert(changes_.end(), static_cast<size_t>(count), change);
  trim(changes_);
  end_ns_ = begin_ns;
}

void Past::take(Line& line, int64_t time_ns, double value, int64_t width_ns, uint64_t change) {
  line.sum += value;
  line.steps.back() = static_cast<float>(line.sum / ++line.count);
  changes_.back() = change;
  const bool follows = line.last_ns != 0 && time_ns > line.last_ns;
  const int64_t distance = follows ? elapsed_ns(line.last_ns, time_ns) : 0;
  if (follows && line.gap && reaches(line.distance_ns, distance, width_ns)) fill(line, *line.gap, true, change);
  line.gap.reset();
  if (follows && step_of(line.last_ns) != end_ns_) {
    const Link link{step_of(line.last_ns), end_ns_, line.last, line.steps.back()};
    const bool joined = line.distance_ns == 0 || reaches(distance, line.distance_ns, width_ns);
    fill(line, link, joined, change);
    if (!joined) line.gap = link;
  }
  line.last = line.steps.back();
  line.last_ns = time_ns;
  line.distance_ns = distance;
}

void Past::fill(Line& line, const Link& link, bool joined, uint64_t change) {
  const int64_t steps = (link.to_ns - link.from_ns) / kStep;
  const auto size = static_cast<int64_t>(line.steps.size());
  for (int64_t k = std::max<int64_t>(steps - static_cast<int64_t>(kSteps), 1); k < steps; ++k) {
    const int64_t place = size - 1 - (end_ns_ - link.from_ns) / kStep + k;
    if (place < 0) continue;
    const float share = static_cast<float>(k) / static_cast<float>(steps);
    line.steps[static_cast<size_t>(place)] = joined ? link.before + (link.after - link.before) * share : kGap;
    changes_[static_cast<size_t>(place)] = change;
  }
}

}  // namespace monitor::analysis
