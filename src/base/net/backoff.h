// Backoff: exponential backoff with full jitter. The n-th wait is drawn uniformly from 0 to min(cap, base x 2^n), so
// that the clients of a failed server do not return all at once ("Exponential Backoff And Jitter", AWS Architecture
// Blog, 2015).
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.h"
#include "base/random.h"

namespace monitor {

class Backoff {
 public:
  Backoff(Random& random, int64_t base_ns, int64_t cap_ns) : random_(random), base_ns_(base_ns), cap_ns_(cap_ns) {}

  int64_t next_ns() {
    const int64_t bound = std::min(cap_ns_, base_ns_ << std::min(attempts_, 20));
    ++attempts_;
    return static_cast<int64_t>(random_.below(static_cast<uint64_t>(bound) + 1));
  }
  // Call after a success: the next wait is short again.
  void reset() { attempts_ = 0; }
  int attempts() const { return attempts_; }
  // The timeout for the next attempt: doubles from the second failure on, up to the cap. With a fixed timeout, an
  // overloaded server would receive every request again and never recover.
  int64_t patience_ns(int64_t base_ns, int64_t cap_ns) const {
    return std::min(std::max(base_ns, cap_ns), base_ns << std::clamp(attempts_ - 1, 0, 20));
  }

 private:
  Random& random_;
  int64_t base_ns_;
  int64_t cap_ns_;
  int attempts_ = 0;
};

}  // namespace monitor
