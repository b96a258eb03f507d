// Parsers of the files that describe processes: PID/stat (proc_pid_stat(5)), PID/io (proc_pid_io(5)) and the lines of
// /proc/stat that are about all of them. They never allocate.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace monitor::agent {

enum class ProcessState : uint8_t { kRunning, kSleeping, kBlocked, kStopped, kDefunct };
inline constexpr size_t kProcessStates = 5;
// The values of the label process.state, in the order of ProcessState.
std::string_view to_string(ProcessState state);

struct ProcessStat {
  std::string_view command;  // as the process has set it: any bytes except NUL, also newlines and parentheses
  ProcessState state = ProcessState::kSleeping;
  uint64_t parent = 0;
  bool kernel_thread = false;
  uint64_t cpu_ticks = 0;    // user and system time of all threads, also of those that have ended
  uint64_t start_ticks = 0;  // since the host started
  uint64_t rss_pages = 0;
};

// Nothing if the text is malformed or truncated.
std::optional<ProcessStat> parse_process_stat(std::string_view text);

struct ProcessIo {
  uint64_t read_bytes = 0;
  uint64_t write_bytes = 0;
};
std::optional<ProcessIo> parse_process_io(std::string_view text);

struct ForkCounts {
  uint64_t processors = 0;  // that are online
  uint64_t created = 0;     // processes and threads, since the host started
};
Result<ForkCounts> parse_fork_counts(std::string_view text);

}  // namespace monitor::agent
