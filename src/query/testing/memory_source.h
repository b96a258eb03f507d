// MemorySource: a SeriesSource of samples in memory, for tests.
#pragma once

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "query/series.h"

namespace monitor::query {

class MemorySource final : public SeriesSource {
 public:
  void clear() { series_.clear(); }

  // A point that is not newer than the last one of its series replaces the one of its time, or goes to its place.
  void add(const Labels& labels, Point point) { series_[labels][point.time_ms] = point.value; }

  Result<std::vector<StoredSeries>> select(std::span<const Matcher> matchers, int64_t from_ms, int64_t to_ms) override {
    std::vector<StoredSeries> found;
    for (const auto& [labels, points] : series_) {
      const Labels& of = labels;
      if (!std::ranges::all_of(matchers, [&of](const Matcher& m) { return m.matches(of.get(m.label())); })) continue;
      StoredSeries one{of, {}};
      for (auto it = points.lower_bound(from_ms); it != points.end() && it->first <= to_ms; ++it) {
        one.points.push_back({it->first, it->second});
      }
      if (!one.points.empty()) found.push_back(std::move(one));
    }
    return found;
  }

 private:
  std::map<Labels, std::map<int64_t, double>> series_;
};

}  // namespace monitor::query
