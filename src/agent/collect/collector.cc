#include "agent/collect/collector.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace monitor::agent {

using metrics::Kind;
using metrics::Labels;
using metrics::Series;

void TickBuilder::add_share(metrics::SeriesId id, double share) {
  add_integer(id, std::llround(std::clamp(share, 0.0, 1.0) * 10'000));
}

Series share_series(std::string_view name, Labels labels) {
  return {std::string(name), std::move(labels), "1", Kind::kGauge, true, -4};
}
Series bytes_series(std::string_view name, Labels labels) {
  return {std::string(name), std::move(labels), "By", Kind::kGauge, true, 0};
}
Series rate_series(std::string_view name, Labels labels) {
  return {std::string(name), std::move(labels), "By/s", Kind::kGauge, true, 0};
}
Series counter_series(std::string_view name, Labels labels) {
  return {std::string(name), std::move(labels), "By", Kind::kCounter, true, 0};
}

bool matches_any(const std::vector<std::string>& patterns, std::string_view text) {
  return std::ranges::any_of(patterns, [&](const std::string& one) { return glob_match(one, text); });
}

int64_t per_second(uint64_t growth, int64_t elapsed_ns) {
  if (elapsed_ns <= 0) return 0;
  return std::llround(static_cast<double>(growth) * 1e9 / static_cast<double>(elapsed_ns));
}

}  // namespace monitor::agent
