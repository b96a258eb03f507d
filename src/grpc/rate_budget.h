// RateBudget: a token bucket that limits the work a peer can cause. Pure; times are monotonic.
#pragma once

#include <algorithm>
#include <cstdint>

namespace monitor::grpc {

class RateBudget {
 public:
  RateBudget(double burst, double per_second) : burst_(burst), per_second_(per_second), tokens_(burst) {}

  // Returns false, and takes nothing, if fewer than `amount` tokens are left.
  bool take(int64_t now_ns, double amount = 1) {
    if (last_ns_ != 0) {
      tokens_ = std::min(burst_, tokens_ + static_cast<double>(now_ns - last_ns_) * 1e-9 * per_second_);
    }
    last_ns_ = now_ns;
    if (tokens_ < amount) return false;
    tokens_ -= amount;
    return true;
  }

 private:
  double burst_;
  double per_second_;
  double tokens_;
  int64_t last_ns_ = 0;
};

}  // namespace monitor::grpc
