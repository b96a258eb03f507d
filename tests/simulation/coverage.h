// Which fault struck what, in which state: a run of many seeds is good only if every pair that is listed occurred.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace monitor::simulation {

enum class Fault {
  // of an agent
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
  // of an agent's connection
  kCut,
  kDelay,
  kHalfOpen,
  // of a server
  kServerKill,
  kServerVanish,
  kServerDrain,
  kServerHidden,
  kProducerFatal,
  // of the log; the state is that of a server
  kReportsLate,
  kReportsReordered,
  kReportsLost,
  kLogTimeouts,
  kLogRefuses,
  kLogSlow,
  kLogFull,
  kLogClockStep,
  // of a reader
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

  // `state` is an AgentState, ServerState or ReaderState, as the fault's target has it.
  void add(Fault fault, size_t state) { ++counts_[static_cast<size_t>(fault)][state]; }
  void merge(const Coverage& other);
  // "fault x state" of the pairs that are listed and did not occur.
  std::vector<std::string> missing() const;
  // A line a fault: how often, in each state.
  std::string table() const;

 private:
  std::array<std::array<uint64_t, kStates>, kFaults> counts_{};
};

}  // namespace monitor::simulation
