#include "load/host_series.h"

#include <fmt/format.h>

#include <array>

namespace monitor::load {

using metrics::Kind;
using metrics::Series;

std::vector<Series> host_series(size_t count) {
  std::vector<Series> all = {
      {"system.cpu.utilization", {}, "1", Kind::kGauge, true, -4},
      {"system.memory.utilization", {}, "1", Kind::kGauge, true, -4},
      {"system.memory.usage", {{"system.memory.state", "used"}}, "By", Kind::kGauge, true, 0},
      {"system.memory.limit", {}, "By", Kind::kGauge, true, 0},
  };
  constexpr std::array kRates = {std::array{"system.disk.io.rate", "disk.io.direction", "read"},
                                 std::array{"system.disk.io.rate", "disk.io.direction", "write"},
                                 std::array{"system.network.io.rate", "network.io.direction", "receive"},
                                 std::array{"system.network.io.rate", "network.io.direction", "transmit"}};
  for (size_t i = 0; all.size() < count; ++i) {
    const auto& [name, label, direction] = kRates[i % kRates.size()];
    Series series{name, {{label, direction}}, "By/s", Kind::kGauge, true, 0};
    // The first series of each rate is the sum over all devices.
    if (i >= kRates.size()) metrics::set_label(series.labels, "system.device", fmt::format("dev{}", i / kRates.size()));
    all.push_back(std::move(series));
  }
  all.resize(count);
  return all;
}

}  // namespace monitor::load
