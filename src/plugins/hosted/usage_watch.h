// What a plugin's process uses, against what its entry allows. Pure: readings go in, and what is wrong comes out.
// One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace monitor::agent {

// A reading of a process.
struct HostUsage {
  int64_t cpu_ns = 0;  // processor time since it started, of all threads, in user and kernel mode
  uint64_t threads = 0;
  uint64_t memory = 0;  // resident bytes
};

// Fields utime, stime, num_threads and rss of /proc/<pid>/stat (proc_pid_stat(5)). Nothing: the text is no such line.
std::optional<HostUsage> parse_host_usage(std::string_view stat, int64_t ticks_per_second, uint64_t page_bytes);

class UsageWatch {
 public:
  static constexpr int64_t kLookEvery = 500 * kNanosPerMilli;
  // A plugin may use more than its share for a while: what counts is the average over this.
  static constexpr int64_t kWindow = 10 * kNanosPerSecond;

  // `threads`: that the plugin may have beside the host's own one. `cpu`: processors, 1 is all the time of one.
  UsageWatch(uint64_t threads, double cpu) : most_threads_(threads), most_cpu_(cpu) {}

  // Takes a reading. Why the process must end; empty: it may go on.
  std::string take(int64_t now_ns, const HostUsage& usage);
  // A new process.
  void reset();

  // Of the last reading; zeros before the first.
  const HostUsage& last() const { return last_; }
  // Threads of the plugin, without the host's own.
  uint64_t threads() const { return last_.threads > 0 ? last_.threads - 1 : 0; }
  // Processors in use, averaged over the window, or over as much of it as there is.
  double cpu() const { return cpu_; }

 private:
  struct Reading {
    int64_t at_ns = 0;
    int64_t cpu_ns = 0;
  };

  uint64_t most_threads_;
  double most_cpu_;
  std::deque<Reading> readings_;  // the first is as old as the window, once there is one
  HostUsage last_;
  double cpu_ = 0;
};

}  // namespace monitor::agent
