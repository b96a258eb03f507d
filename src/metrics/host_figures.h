// The main figures of a whole host, and how to distinguish them from the figures of its parts.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "metrics/series.h"

namespace monitor::metrics {

// Labels that make a series describe a part of the host: a core, a device, ...
inline constexpr std::array<std::string_view, 5> kParts = {"cpu.logical_number", "cpu.mode", "system.device",
                                                           "network.interface.name", "system.filesystem.mountpoint"};

// Labels that select one of several figures of the host.
inline constexpr std::array<std::string_view, 3> kKinds = {"system.memory.state", "disk.io.direction",
                                                           "network.io.direction"};

// Whether a series is the whole host's figure of its metric. Labels added by plugins or other programs do not matter.
struct HostFigure {
  std::string_view name;
  std::string_view label = {};
  std::string_view value = {};

  bool matches(const Series& series) const {
    if (series.name != name) return false;
    for (const auto& [key, text] : series.labels) {
      if (std::find(kParts.begin(), kParts.end(), key) != kParts.end()) return false;
      if (key == label && text != value) return false;
    }
    return true;
  }
};

inline constexpr HostFigure kCpu{"system.cpu.utilization"};
inline constexpr HostFigure kMemory{"system.memory.utilization", "system.memory.state", "used"};
inline constexpr HostFigure kMemoryUsed{"system.memory.usage", "system.memory.state", "used"};
inline constexpr HostFigure kMemoryLimit{"system.memory.limit"};
inline constexpr std::array<HostFigure, 4> kHostRates = {{
    {"system.disk.io.rate", "disk.io.direction", "read"},
    {"system.disk.io.rate", "disk.io.direction", "write"},
    {"system.network.io.rate", "network.io.direction", "receive"},
    {"system.network.io.rate", "network.io.direction", "transmit"},
}};

}  // namespace monitor::metrics
