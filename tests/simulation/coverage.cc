#include "simulation/coverage.h"

#include <fmt/format.h>

#include <span>

#include "simulation/agent_host.h"
#include "simulation/reader_host.h"
#include "simulation/server_host.h"

namespace monitor::simulation {

namespace {

constexpr std::array<std::string_view, kFaults> kNames = {
    "agent killed",
    "agent killed at a call",
    "power loss",
    "agent restarted",
    "agent's clock steps",
    "no space",
    "I/O error",
    "short write",
    "read error",
    "slow sync",
    "duplicate stream",
    "agent id cloned",
    "disk cloned",
    "connection cut",
    "connection slow",
    "half-open",
    "server killed",
    "server vanishes",
    "server drains",
    "server unreachable",
    "producer fatal",
    "reports late",
    "reports reordered",
    "reports lost",
    "log times out",
    "log refuses",
    "log slow",
    "log full",
    "log's clock steps",
    "reader killed",
    "reader joins, leaves",
    "snapshot fails",
    "reader slow",
};

constexpr std::array<std::string_view, Coverage::kStates> kAgentStates = {
    "down", "recovering", "alone", "quiet", "in flight", "backlog", "memory only", "stopping"};
constexpr std::array<std::string_view, 5> kServerStates = {"down", "no stream", "quiet", "in flight", "draining"};
constexpr std::array<std::string_view, 3> kReaderStates = {"down", "caught up", "uncommitted"};

std::span<const std::string_view> states_of(Fault fault) {
  if (fault < Fault::kServerKill) return kAgentStates;
  return fault < Fault::kReaderKill ? std::span<const std::string_view>(kServerStates) : kReaderStates;
}

// The required pairs: every state, except where the fault is meaningless.
bool listed(Fault fault, size_t state) {
  switch (fault) {
    case Fault::kCut:
    case Fault::kDelay:
    case Fault::kHalfOpen:
      return state >= static_cast<size_t>(AgentState::kQuiet) && state <= static_cast<size_t>(AgentState::kMemory);
    case Fault::kPowerLoss:
      return true;
    case Fault::kDuplicateStream:
    case Fault::kCloneId:
    case Fault::kCloneDisk:
    case Fault::kAgentRestart:
      return state >= static_cast<size_t>(AgentState::kRecovering) && state <= static_cast<size_t>(AgentState::kMemory);
    case Fault::kServerDrain:
      return state >= static_cast<size_t>(ServerState::kAlone) && state <= static_cast<size_t>(ServerState::kInFlight);
    default:
      return state != 0;
  }
}

}  // namespace

std::string_view fault_name(Fault fault) { return kNames[static_cast<size_t>(fault)]; }
std::string_view state_name(Fault fault, size_t state) { return states_of(fault)[state]; }

void Coverage::merge(const Coverage& other) {
  for (size_t i = 0; i < kFaults; ++i) {
    for (size_t j = 0; j < kStates; ++j) counts_[i][j] += other.counts_[i][j];
  }
}

std::vector<std::string> Coverage::missing() const {
  std::vector<std::string> result;
  for (size_t i = 0; i < kFaults; ++i) {
    const auto fault = static_cast<Fault>(i);
    const auto states = states_of(fault);
    for (size_t j = 0; j < states.size(); ++j) {
      if (listed(fault, j) && counts_[i][j] == 0) result.push_back(fmt::format("{} x {}", kNames[i], states[j]));
    }
  }
  return result;
}

std::string Coverage::table() const {
  std::string text;
  const auto head = [&](std::string_view name, std::span<const std::string_view> states) {
    text += fmt::format("{:<24}", name);
    for (const std::string_view state : states) text += fmt::format("{:>13}", state);
    text += '\n';
  };
  for (size_t i = 0; i < kFaults; ++i) {
    const auto fault = static_cast<Fault>(i);
    const auto states = states_of(fault);
    if (i == 0) head("fault x agent", states);
    if (fault == Fault::kServerKill) head("fault x server", states);
    if (fault == Fault::kReaderKill) head("fault x reader", states);
    text += fmt::format("{:<24}", kNames[i]);
    for (size_t j = 0; j < states.size(); ++j) {
      text += listed(fault, j) || counts_[i][j] > 0 ? fmt::format("{:>13}", counts_[i][j]) : fmt::format("{:>13}", "-");
    }
    text += '\n';
  }
  return text;
}

}  // namespace monitor::simulation
