// Full-jitter backoff: the n-th wait is evenly drawn from 0 to min(cap, base x 2^n), so that a fleet does not come back
// together ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
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
  // Something was achieved: the next wait is short again.
  void reset() { attempts_ = 0; }
  int attempts() const { return attempts_; }
  // How long an answer is waited for now: from the second failure on twice as long each time, up to the cap. A server
  // that is slow because everybody asks would else be asked by everybody again, to no end.
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
