// Mistakes on purpose, which the simulation must find (docs/robustness.md). Only its program `simulate_mutants` is built
// with them, and makes one of them at a time; everywhere else the condition is `false`.
#pragma once

#ifdef MONITOR_MUTANTS

namespace monitor {

enum class Mutant {
  kNone,
  kAckBeforeConfirmation,
  kCheckpointBeforeConfirmation,
  kSkipFsync,
  kHighWaterDedupe,
  kAppendToRecovered,
  kUnlinkBeforeCheckpoint,
  kLoseDropRecords,
  kAckPastGap,
  kForgetRewind,
};
// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): one for the program, set before it begins.
inline Mutant mutant = Mutant::kNone;

}  // namespace monitor

#define MONITOR_MUTANT(name) (::monitor::mutant == ::monitor::Mutant::name)

#else

#define MONITOR_MUTANT(name) false

#endif
