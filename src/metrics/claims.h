// Claims: what a batch states besides its values: sequences, counters, drops, ends of runs. Peers can state anything,
// and ledgers add these figures up, so each figure has a bound that no real agent reaches. The server rejects a batch
// beyond a bound. Readers of an old log leave such a batch out of their sums. Pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.h"
#include "metrics/batch.h"

namespace monitor::metrics {

// Enough for a batch every 10 ms for 89,000 years.
inline constexpr uint64_t kMaxSequence = uint64_t{1} << 48;
// For ticks and for dropped batches.
inline constexpr uint64_t kMaxCount = uint64_t{1} << 48;
inline constexpr uint64_t kMaxPoints = uint64_t{1} << 56;
// 2200-01-01 in Unix nanoseconds. Clocks that are merely wrong are accepted: readers correct their times.
inline constexpr int64_t kMaxTimeNs = 7'258'118'400 * int64_t{1'000'000'000};

struct Claims {
  std::string_view incarnation;
  uint64_t sequence = 0;
  uint64_t first_unacked = 0;
  int64_t appended_ns = 0;
  const Counters& counters;
  std::span<const Drop> drops;
  std::span<const IncarnationEnd> ended;
  std::span<const OlderIncarnation> older;
  std::span<const Elsewhere> elsewhere;
};

// kInvalidArgument, with the field, its value and its bound.
Status check_claims(const Claims& claims);
Status check_claims(const Envelope& envelope);

}  // namespace monitor::metrics
