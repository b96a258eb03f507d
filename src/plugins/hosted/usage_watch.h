// UsageWatch: compares the usage of a plugin's process with the limits of its entry. No I/O: it is given readings. Not
// thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace monitor::agent {

// The usage of a process at a time.
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
  // A plugin may exceed its share for a short time: the average over this window counts.
  static constexpr int64_t kWindow = 10 * kNanosPerSecond;

  // `threads`: allowed in addition to the host's own one. `cpu`: processors; 1 is all the time of one.
  UsageWatch(uint64_t threads, double cpu) : most_threads_(threads), most_cpu_(cpu) {}

  // Adds a reading. Returns why the process must end; empty: it may continue.
  std::string take(int64_t now_ns, const HostUsage& usage);
  // The process is a new one.
  void reset();

  // The last reading; zeros before the first.
  const HostUsage& last() const { return last_; }
  // The plugin's threads, without the host's own.
  uint64_t threads() const { return last_.threads > 0 ? last_.threads - 1 : 0; }
  // Processors in use, averaged over the window, or over the readings so far.
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
