// How much the history keeps. Plain values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/trusted_clock.h"
#include "views/history/resolution.h"

namespace monitor::analysis::history {

struct HistoryOptions {
  std::string path = {};
  // How long each resolution is kept: full (and with it 1 s), 10 s, 1 min, 1 h.
  std::array<int64_t, 4> keep_ns = {kDayNs, 3 * kDayNs, 30 * kDayNs, 400 * kDayNs};
  // Whether to trust the first reading of the wall clock (trusted_clock.h).
  TrustedClock::Start clock_start = TrustedClock::Start::kUnknown;
  uint64_t max_bytes =
      uint64_t{2} << 30;  // of the file; beyond it, the oldest data of the finest resolution is deleted first
  size_t max_agents = 20'000;
  size_t max_series = 200'000;  // of all agents together
  size_t max_series_per_agent = 5'000;
  size_t fair_series = 64;  // every agent may have this many, however many others have
};

}  // namespace monitor::analysis::history
