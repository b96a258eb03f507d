// TrustedClock: wall time for deciding what is old enough to be deleted. A wall clock may be wrong for a minute or an
// hour: set by hand, after an empty battery, by a wrong time server. Deleted data does not come back, so this time
// advances with the monotonic clock, and accepts a jump of the wall clock only once the new time has been stable:
//
//   jump forward   the old time continues until the new one has been stable for `confirm_ns`
//   jump back      the new time applies at once, since it makes data younger; returning to the old one takes as long as
//                  a jump forward
//   suspend        treated as a jump forward: the monotonic clock stood still
//   restart        within one boot the time continues; after a reboot it starts at the last stored time and treats the
//                  clock's time as a jump; without a stored time, see `start`
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
    kUnknown,  // nothing is old until the clock has been stable for `confirm_ns`
    kTrust     // trust the first reading; for deadlines that must hold after a restart
  };
  struct Options {
    int64_t confirm_ns = int64_t{3600} * kNanosPerSecond;
    Start start = Start::kUnknown;
    // File for the time, written every few minutes, best effort; empty: none.
    std::string file = {};
    Disk* disk = nullptr;
    // Boot id; empty: the kernel's.
    std::string boot_id = {};
  };
  // The confirmation time for data retained for `kept_ns`, an hour at most: data retained for seconds must not wait an
  // hour for its first deletion.
  static int64_t confirm_for(int64_t kept_ns);

  TrustedClock(const Clock& clock, Options options);

  // Unix time. Data older than this minus its retention may be deleted. 0: unknown, so nothing is old. Call at least
  // every few minutes: a time that is read too rarely is not confirmed.
  int64_t now_ns();

 private:
  // Wall time minus monotonic time: constant unless the clock is set.
  static constexpr int64_t kSlack = 10 * kNanosPerSecond;  // largest jump that counts as a time server's correction
  // Readings that confirm a new time. Two are not enough: the clock may have been right in between.
  static constexpr int kLeastLooks = 4;
  static constexpr int64_t kStoreEvery = int64_t{300} * kNanosPerSecond;

  void begin();
  void restore();
  void store(int64_t mono_ns);

  const Clock& clock_;
  Options options_;
  bool known_ = false;
  int64_t offset_ = 0;  // trusted offset, if known
  int64_t candidate_ = 0;
  int64_t candidate_since_ns_ = 0;  // monotonic
  int looks_ = 0;                   // readings of the candidate; 0: none
  bool stored_ = false;
  int64_t stored_at_ns_ = 0;  // monotonic
  int64_t stored_offset_ = 0;
};

}  // namespace monitor
