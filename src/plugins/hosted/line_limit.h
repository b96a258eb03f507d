// LineLimit: limits the log lines of one plugin per period, and reports how many were omitted. Loop's thread only.
#pragma once

#include <cstdint>
#include <string>

#include "base/event_loop.h"

namespace monitor::agent {

class LineLimit {
 public:
  static constexpr uint64_t kMost = 50;  // lines
  static constexpr int64_t kPeriod = 10 * kNanosPerSecond;

  LineLimit(Timers& timers, std::string plugin) : timers_(timers), plugin_(std::move(plugin)) {}
  ~LineLimit();
  LineLimit(const LineLimit&) = delete;
  LineLimit& operator=(const LineLimit&) = delete;

  // Removes the limit.
  void lift() { most_ = UINT64_MAX; }
  // Returns true if a line may be written now. Other lines are counted, and their number is logged at the end of the
  // period.
  bool pass();

 private:
  void tell();

  Timers& timers_;
  std::string plugin_;
  int64_t since_ns_ = 0;  // start of the period; 0: no period has started
  uint64_t most_ = kMost;
  uint64_t passed_ = 0;
  uint64_t left_out_ = 0;
  Timers::TimerId timer_ = 0;
};

}  // namespace monitor::agent
