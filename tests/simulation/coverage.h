// Counts pairs of fault and target state. A run of many seeds passes only if every required pair has occurred.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace monitor::simulation {

enum class Fault {
  // agent faults
  kAgentKill,
  kAgentKillAtCall,
  kPowerLoss,
  kAgentRestart,
  kClockStep,
  kNoSpace,
  kIoError,
  kShortWrite,
  kReadError,
  kSlowSync,
  kDuplicateStream,
  kCloneId,
  kCloneDisk,
  // connection faults
  kCut,
  kDelay,
  kHalfOpen,
  // server faults
  kServerKill,
  kServerVanish,
  kServerDrain,
  kServerHidden,
  kProducerFatal,
  // log faults; the state is that of a server
  kReportsLate,
  kReportsReordered,
  kReportsLost,
  kLogTimeouts,
  kLogRefuses,
  kLogSlow,
  kLogFull,
  kLogClockStep,
  // reader faults
  kReaderKill,
  kReaderJoins,
  kSnapshotFails,
  kReaderSlow,
};
inline constexpr size_t kFaults = static_cast<size_t>(Fault::kReaderSlow) + 1;

std::string_view fault_name(Fault fault);
std::string_view state_name(Fault fault, size_t state);

class Coverage {
 public:
  static constexpr size_t kStates = 8;

  // `state` is an AgentState, ServerState or ReaderState, depending on the fault's target.
  void add(Fault fault, size_t state) { ++counts_[static_cast<size_t>(fault)][state]; }
  void merge(const Coverage& other);
  // Returns "fault x state" for the required pairs that did not occur.
  std::vector<std::string> missing() const;
  // Formats one line per fault, with its count in each state.
  std::string table() const;

 private:
  std::array<std::array<uint64_t, kStates>, kFaults> counts_{};
};

}  // namespace monitor::simulation
