// Deliberate bugs that tests must detect (docs/robustness.md). Only the program `simulate_mutants` includes them, and
// activates the one that is named; other builds contain none.
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
