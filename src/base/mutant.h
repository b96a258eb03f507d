// Faults that are built in on purpose, to prove that tests find them: -DMONITOR_MUTANT=NAME at configuration makes a
// build in which is_mutant("NAME") holds. In every other build nothing of them is left.
#pragma once

#include <string_view>

#ifndef MONITOR_MUTANT
#define MONITOR_MUTANT ""
#endif

namespace monitor {

inline constexpr std::string_view kMutant = MONITOR_MUTANT;

consteval bool is_mutant(std::string_view name) { return name == kMutant; }

}  // namespace monitor
