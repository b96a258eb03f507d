// Limits for each agent identity on the server, over all of its streams in all loops. An identity beyond a limit is
// slowed, alone: its streams get no more room to send until it is within the limit again. Nothing is refused but an
// additional stream.
//
// An identity is the agent id of Hello; with client certificates, Hello has passed only if it is the certificate's.
//
// IdentityTable and Identity are thread-safe; IdentityUse is one stream's, on its loop. Times are monotonic, in
// nanoseconds.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/clock.h"
#include "base/hash64.h"
#include "base/random.h"
#include "inputs/stream/series_count.h"

namespace monitor::server {

// 0: no limit.
struct IdentityLimits {
  size_t streams = 16;
  uint64_t bytes_per_second = uint64_t{16} << 20;  // a batch counts with its size plus kPerBatch
  size_t batches = 2'000;                          // in flight: received, and not yet confirmed or refused by the log
  size_t series = 50'000;                          // different ones in kSeriesWindow
};

enum class IdentityLimit { kStreams, kBytes, kBatches, kSeries };
inline constexpr size_t kIdentityLimits = 4;
// "streams", "bytes", "batches", "series".
std::string_view name_of(IdentityLimit limit);

class Identity {
 public:
  static constexpr size_t kPerBatch = 1024;
  // An identity that has sent less may use the bytes of this time at once.
  static constexpr int64_t kBurst = 2 * kNanosPerSecond;
  static constexpr int64_t kSeriesWindow = 3600 * kNanosPerSecond;
  static constexpr int64_t kReportEvery = 60 * kNanosPerSecond;

  Identity(const IdentityLimits& limits, const HashKey& key) : limits_(limits), key_(key) {}
  ~Identity();
  Identity(const Identity&) = delete;
  Identity& operator=(const Identity&) = delete;

  const IdentityLimits& limits() const { return limits_; }

  void charge_bytes(size_t bytes, int64_t now_ns);
  // Counts the series of a valid batch.
  void charge_series(std::string_view batch, int64_t now_ns);
  // Changes when the series are counted anew.
  uint64_t series_window(int64_t now_ns);
  size_t series() const;

  void add_batches(int64_t count) { batches_.fetch_add(count, std::memory_order_relaxed); }
  int64_t batches() const { return batches_.load(std::memory_order_relaxed); }
  bool batches_exceeded() const { return limits_.batches != 0 && batches() > static_cast<int64_t>(limits_.batches); }
  // Few enough to ask for what was discarded: half of the limit.
  bool room_for_batches() const { return batches() <= static_cast<int64_t>(limits_.batches / 2); }

  // The time until the identity is within its limits on bytes and on series; 0: it is.
  int64_t bytes_wait_ns(int64_t now_ns) const { return wait(bytes_paid_ns_, now_ns); }
  int64_t series_wait_ns(int64_t now_ns) const { return wait(series_paid_ns_, now_ns); }

  // Notes a breach. True: it is to be reported; at most once a minute.
  bool breach(int64_t now_ns);
  // Breaches since the last report.
  uint64_t take_breaches() { return breaches_.exchange(0, std::memory_order_relaxed); }
  bool limited(int64_t now_ns) const;

 private:
  static int64_t wait(const std::atomic<int64_t>& paid_ns, int64_t now_ns) {
    const int64_t paid = paid_ns.load(std::memory_order_relaxed);
    return paid > now_ns ? paid - now_ns : 0;
  }
  void turn_window(int64_t now_ns);

  const IdentityLimits limits_;
  const HashKey key_;
  // What was received is paid for at this time: a token bucket in one number.
  std::atomic<int64_t> bytes_paid_ns_{INT64_MIN};
  std::atomic<int64_t> series_paid_ns_{INT64_MIN};
  std::atomic<int64_t> batches_{0};
  std::atomic<uint64_t> breaches_{0};
  std::atomic<int64_t> breached_ns_{INT64_MIN};
  std::atomic<int64_t> reported_ns_{INT64_MIN};

  mutable std::mutex mutex_;  // guards the rest
  SeriesCount seen_;
  int64_t window_ns_ = INT64_MIN;  // its begin
  std::atomic<uint64_t> window_{0};
};

class IdentityTable {
 public:
  IdentityTable(const IdentityLimits& limits, Random& random) : limits_(limits), key_{random.next(), random.next()} {}
  IdentityTable(const IdentityTable&) = delete;
  IdentityTable& operator=(const IdentityTable&) = delete;

  const IdentityLimits& limits() const { return limits_; }
  // For a stream. The identity outlives its last stream by kSeriesWindow, so that a new connection does not make it
  // forget; of identities without streams it keeps kMostIdle.
  std::shared_ptr<Identity> enter(const std::string& name, int64_t now_ns);
  void leave(const std::string& name, int64_t now_ns);

  // Identities that were beyond a limit within the last minute.
  size_t limited(int64_t now_ns) const;
  size_t size() const;

 private:
  static constexpr size_t kMostIdle = 65'536;

  struct Entry {
    std::shared_ptr<Identity> identity;
    size_t streams = 0;
    int64_t left_ns = 0;
  };
  void forget_idle(int64_t now_ns);

  const IdentityLimits limits_;
  const HashKey key_;
  mutable std::mutex mutex_;  // guards the rest
  std::unordered_map<std::string, Entry> entries_;
  std::deque<std::pair<int64_t, std::string>> idle_;  // by the time when they lost their last stream
};

// A stream's part in its identity. Gives back what it has taken when it is destroyed.
class IdentityUse {
 public:
  IdentityUse(IdentityTable& table, const Clock& clock) : table_(table), clock_(clock) {}
  ~IdentityUse();
  IdentityUse(const IdentityUse&) = delete;
  IdentityUse& operator=(const IdentityUse&) = delete;

  // Once.
  void enter(const std::string& name);

  // A message has arrived, of a batch or to be ignored.
  void charge(size_t bytes);
  // Counts batches in flight.
  void add_batch();
  void remove_batches(size_t count);
  // Whether count_series() would count the series of this list.
  bool wants_series(uint64_t list) const;
  // It is valid; `list` names its list of series for this loop (BatchView::list_id).
  void count_series(std::string_view batch, uint64_t list);

  // The limit that is exceeded now, if there is one, kBatches before the others.
  std::optional<IdentityLimit> exceeded() const;
  bool room_for_batches() const { return identity_ == nullptr || identity_->room_for_batches(); }
  // See Identity.
  int64_t wait_ns() const;
  bool breach() const { return identity_ != nullptr && identity_->breach(clock_.mono_ns()); }
  // For the report of that breach: breaches since the last one, and what it was against which limit, with the flag.
  uint64_t take_breaches() const { return identity_ == nullptr ? 0 : identity_->take_breaches(); }
  std::string describe(IdentityLimit limit) const;

 private:
  IdentityTable& table_;
  const Clock& clock_;
  std::string name_;
  std::shared_ptr<Identity> identity_;
  int64_t batches_ = 0;
  // Lists of series that are counted already. A tick of many series is split into batches with a list each.
  std::array<uint64_t, 4> lists_ = {};
  size_t next_list_ = 0;
  uint64_t window_ = 0;
};

}  // namespace monitor::server
