// Mistakes on purpose, which tests must find (docs/robustness.md). Only the program `simulate_mutants` is built with
// them, and makes the one that is named; in every other build nothing of them is left.
#pragma once

#include <string_view>

namespace monitor {

#ifdef MONITOR_MUTANTS
// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): set before the program begins its work.
inline std::string_view mutant;
inline bool is_mutant(std::string_view name) { return name == mutant; }
#else
consteval bool is_mutant(std::string_view) { return false; }
#endif

}  // namespace monitor
