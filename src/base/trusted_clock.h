// Wall time for deciding what is old enough to be deleted. A wall clock may be wrong for a minute, or an hour: set by
// hand, by a battery that is empty, by a time server that is. What is deleted by it does not come back. So this time
// advances with the monotonic clock alone, and a jump counts only once the new time has held for a while:
//
//   after a jump forward    the old time goes on, until the new one has held for `confirm_ns`
//   after a jump back       the new time counts at once, since less is older than it; the old one is forgotten as
//   slowly after a suspend         as after a jump forward: the monotonic clock stood still after a restart goes on
//   where it was within one boot of the machine; after another boot it begins at the last
//                           time that was stored, and takes the clock's as a jump; where nothing is stored, see `start`
//
// Thread-compatible. The clock and the disk must outlive it.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/disk.h"

namespace monitor {

class TrustedClock {
 public:
  enum class Start {
    kUnknown,  // nothing is old until the clock has held its time for `confirm_ns`
    kTrust     // the first reading counts; for what must also end on time after a restart
  };
  struct Options {
    int64_t confirm_ns = int64_t{3600} * kNanosPerSecond;
    Start start = Start::kUnknown;
    // Where the time is stored, every few minutes, best effort; empty: nowhere.
    std::string file = {};
    Disk* disk = nullptr;
    // Of the machine; empty: as the kernel has it.
    std::string boot_id = {};
  };
  // Holding still for so long is enough for what is kept for `kept_ns`, an hour at most: whoever keeps things for
  // seconds does not wait an hour for the first of them to go.
  static int64_t confirm_for(int64_t kept_ns);

  TrustedClock(const Clock& clock, Options options);

  // Unix time. What is older than this minus what it is kept for may be deleted. 0: nothing is known yet, and nothing
  // is that old. To be asked at least every few minutes: a time that was seen too seldom is not confirmed.
  int64_t now_ns();

 private:
  // A clock's wall time minus its monotonic time: the same as long as nobody sets it.
  static constexpr int64_t kSlack = 10 * kNanosPerSecond;  // what a time server may correct at once
  static constexpr int kLeastLooks = 4;
  static constexpr int64_t kStoreEvery = int64_t{300} * kNanosPerSecond;

  void begin();
  void restore();
  void store(int64_t mono_ns);

  const Clock& clock_;
  Options options_;
  bool known_ = false;
  int64_t offset_ = 0;  // that is trusted, if one is known
  int64_t candidate_ = 0;
  int64_t candidate_since_ns_ = 0;  // monotonic
  int looks_ = 0;                   // 0: there is no candidate yet
  bool stored_ = false;
  int64_t stored_at_ns_ = 0;  // monotonic
  int64_t stored_offset_ = 0;
};

}  // namespace monitor
