#include "inputs/proc/process_stat.h"

#include <array>

#include "base/saturating.h"
#include "base/text.h"
#include "inputs/proc/kernel_file.h"

namespace monitor::agent {

namespace {

// Of task_struct::flags (the kernel's include/linux/sched.h).
constexpr uint64_t kKernelThread = 0x0020'0000;  // PF_KTHREAD
constexpr uint64_t kWorkqueueWorker = 0x20;      // PF_WQ_WORKER

ProcessState state_of(char letter) {
  switch (letter) {
    case 'R':
      return ProcessState::kRunning;
    case 'D':
      return ProcessState::kBlocked;
    case 'T':
    case 't':
      return ProcessState::kStopped;
    case 'Z':
    case 'X':
    case 'x':
      return ProcessState::kDefunct;
    default:
      return ProcessState::kSleeping;
  }
}

// The kernel appends to the name of a worker what it works on or has worked on last: "kworker/0:1-events". That changes
// from reading to reading.
std::string_view without_work(std::string_view name) {
  const size_t colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(0, name.find_first_of("-+", colon));
}

}  // namespace

std::string_view to_string(ProcessState state) {
  static constexpr std::array<std::string_view, kProcessStates> kNames = {"running", "sleeping", "blocked", "stopped",
                                                                          "defunct"};
  return kNames[static_cast<size_t>(state)];
}

std::optional<ProcessStat> parse_process_stat(std::string_view text) {
  // The name may contain parentheses; no field after it does.
  const size_t open = text.find('(');
  const size_t close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return std::nullopt;
  ProcessStat stat;
  stat.command = text.substr(open + 1, close - open - 1);
  std::string_view rest = text.substr(close + 1);
  Fields fields(next_line(rest));
  const std::string_view letter = fields.next();
  const auto parent = fields.number();
  fields.skip(4);  // pgrp, session, tty_nr, tpgid
  const auto flags = fields.number();
  fields.skip(4);  // minflt, cminflt, majflt, cmajflt
  const auto user = fields.number();
  const auto system = fields.number();
  fields.skip(6);  // cutime, cstime, priority, nice, num_threads, itrealvalue
  const auto start = fields.number();
  fields.skip(1);  // vsize
  const auto rss = fields.number();
  if (letter.size() != 1 || !parent || !flags || !user || !system || !start || !rss) return std::nullopt;
  stat.state = state_of(letter.front());
  stat.parent = *parent;
  stat.kernel_thread = (*flags & kKernelThread) != 0;
  if ((*flags & kWorkqueueWorker) != 0) stat.command = without_work(stat.command);
  stat.cpu_ticks = saturating_add(*user, *system);
  stat.start_ticks = *start;
  stat.rss_pages = *rss;
  return stat;
}

std::optional<ProcessIo> parse_process_io(std::string_view text) {
  std::optional<uint64_t> read;
  std::optional<uint64_t> written;
  while (!text.empty()) {
    Fields fields(next_line(text));
    const std::string_view name = fields.next();
    if (name == "read_bytes:") read = fields.number();
    if (name == "write_bytes:") written = fields.number();
  }
  if (!read || !written) return std::nullopt;
  return ProcessIo{*read, *written};
}

Result<ForkCounts> parse_fork_counts(std::string_view text) {
  ForkCounts counts;
  std::optional<uint64_t> created;
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    if (line.starts_with("cpu")) {
      if (line.size() > 3 && line[3] >= '0' && line[3] <= '9') ++counts.processors;
    } else if (line.starts_with("processes ")) {
      Fields fields(line.substr(line.find(' ')));
      created = fields.number();
    }
  }
  if (!created || counts.processors == 0) {
    return Error(Code::kInvalidArgument,
                 std::string("/proc/stat: no line \"") + (created ? "cpu0" : "processes") + "\" with a number");
  }
  counts.created = *created;
  return counts;
}

}  // namespace monitor::agent
