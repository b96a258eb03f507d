// UsageWatch: compares the usage of a plugin's process with the limits of its entry. Does no I/O: the caller provides
// the readings. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace monitor::agent {

// The usage of a process at one point in time.
struct HostUsage {
  int64_t cpu_ns = 0;  // processor time of all threads since the start, in user and kernel mode
  uint64_t threads = 0;
  uint64_t memory = 0;  // resident bytes
};

// Reads utime, stime, num_threads and rss from /proc/<pid>/stat (proc_pid_stat(5)). Nothing if the text is not such a
// line.
std::optional<HostUsage> parse_host_usage(std::string_view stat, int64_t ticks_per_second, uint64_t page_bytes);

class UsageWatch {
 public:
  static constexpr int64_t kLookEvery = 500 * kNanosPerMilli;
  // The average over this window counts, so a plugin may exceed its share for a short time.
  static constexpr int64_t kWindow = 10 * kNanosPerSecond;

  // `threads`: allowed in addition to the host's own thread. `cpu`: number of processors; 1 is all the time of one.
  UsageWatch(uint64_t threads, double cpu) : most_threads_(threads), most_cpu_(cpu) {}

  // Adds a reading. Returns why the process must be ended; empty: it may continue.
  std::string take(int64_t now_ns, const HostUsage& usage);
  // Call for a new process.
  void reset();

  // The last reading; zeros before the first one.
  const HostUsage& last() const { return last_; }
  // Number of the plugin's threads, not counting the host's own.
  uint64_t threads() const { return last_.threads > 0 ? last_.threads - 1 : 0; }
  // Processors in use, averaged over the window, or over all readings if there are fewer.
  double cpu() const { return cpu_; }

 private:
  struct Reading {
    int64_t at_ns = 0;
    int64_t cpu_ns = 0;
  };

  uint64_t most_threads_;
  double most_cpu_;
  std::deque<Reading> readings_;  // once there are enough, the first reading is as old as the window
  HostUsage last_;
  double cpu_ = 0;
};

}  // namespace monitor::agent
