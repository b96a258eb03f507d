#include "inputs/collector.h"

#include <algorithm>

#include "base/scaled_quotient.h"
#include "base/text.h"

namespace monitor::agent {

void TickBuilder::add_share(metrics::SeriesId id, uint64_t part, uint64_t whole) {
  add_integer(id, scaled_quotient(std::min(part, whole), 10'000, whole));
}

const config::MetricSelection* find_selection(const std::vector<config::MetricSelection>& selections,
                                              std::string_view name) {
  const auto found = std::ranges::find(selections, name, &config::MetricSelection::name);
  return found == selections.end() ? nullptr : &*found;
}

bool matches_any(const std::vector<std::string>& patterns, std::string_view text) {
  return std::ranges::any_of(patterns, [&](const std::string& one) { return glob_match(one, text); });
}

int64_t per_second(uint64_t growth, int64_t elapsed_ns) {
  if (elapsed_ns <= 0) return 0;
  return scaled_quotient(growth, 1'000'000'000, static_cast<uint64_t>(elapsed_ns));
}

}  // namespace monitor::agent
