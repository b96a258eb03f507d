// What a host offers: for each selector, which of its metrics the host has, what a tick of it costs, and why the others
// are missing. Reads every source twice; for programs that do so once.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "inputs/proc/roots.h"

namespace monitor::agent {

struct MissingMetric {
  std::string name;
  std::string reason;
};

struct SelectorOffer {
  std::string_view selector;
  std::vector<std::string> metrics;  // that the host has, with all options on
  std::vector<MissingMetric> missing;
  size_t points = 0;    // of a tick without options
  int64_t cost_ns = 0;  // of a tick without options: time that the reading took
};

// `wait` lets some time pass between two readings, for rates.
std::vector<SelectorOffer> list_offers(const Roots& roots, const Clock& clock, const std::function<void()>& wait);

// Why a metric whose collector works has no value, by its source in the catalog and the files below the roots.
std::string why_missing(const Roots& roots, std::string_view source, std::string_view rules);

}  // namespace monitor::agent
