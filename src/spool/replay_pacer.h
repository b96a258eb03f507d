// ReplayPacer: limits how many bytes of the backlog are in flight, so that fresh batches do not queue behind them. The
// allowance grows while acknowledgements are fast, and is halved when they are slow, like TCP's congestion window.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.h"

namespace monitor::agent {

class ReplayPacer {
 public:
  static constexpr uint64_t kLeast = uint64_t{16} * 1024;
  static constexpr uint64_t kMost = uint64_t{4} * 1024 * 1024;
  // Half of the delay that fresh data may have; the other half is for the rest of the path.
  static constexpr int64_t kSlow = 1 * kNanosPerSecond;
  static constexpr int64_t kQuick = 500 * kNanosPerMilli;

  // One batch may always be in flight, whatever its size.
  bool allows() const { return under_way_ == 0 || under_way_ < allowance_; }

  void sent(uint64_t bytes) { under_way_ += bytes; }
  // Call when a batch was acknowledged or returned.
  void ended(uint64_t bytes) { under_way_ -= std::min(under_way_, bytes); }
  void acknowledged(uint64_t bytes, int64_t sent_ns, int64_t now_ns) {
    ended(bytes);
    if (now_ns - sent_ns < kQuick) {
      allowance_ = std::min(kMost, allowance_ + bytes);
    } else if (now_ns - sent_ns > kSlow && sent_ns >= shrunk_ns_) {
      // Halves only once for everything that was in flight at that time.
      allowance_ = std::max(kLeast, allowance_ / 2);
      shrunk_ns_ = now_ns;
    }
  }

 private:
  uint64_t allowance_ = uint64_t{64} * 1024;
  uint64_t under_way_ = 0;
  int64_t shrunk_ns_ = INT64_MIN;
};

}  // namespace monitor::agent
