#include "views/ledger/sums.h"

#include <algorithm>
#include <array>

#include "base/saturating.h"
#include "views/ledger/report.h"

namespace monitor::analysis {

namespace {

using Amount = LedgerSums::Amount;

// How many sequences of ascending ranges are in [first, last].
uint64_t overlap(const Ranges& ranges, uint64_t first, uint64_t last) {
  uint64_t sum = 0;
  auto at = std::ranges::lower_bound(ranges, first, {}, [](const auto& range) { return range.second; });
  for (; at != ranges.end() && at->first <= last; ++at) {
    add_saturating(sum, range_size(std::max(at->first, first), std::min(at->second, last)));
  }
  return sum;
}

// How many of the points that a range of drops has are in [first, last], where no batch is stored.
uint64_t dropped_within(const Account& account, uint64_t first, uint64_t last) {
  const auto& ranges = account.dropped.ranges();
  auto at = ranges.upper_bound(first);
  if (at != ranges.begin()) --at;
  uint64_t sum = 0;
  for (; at != ranges.end() && at->first <= last; ++at) {
    const metrics::Drop& drop = at->second;
    const uint64_t part = range_size(std::max(drop.first_sequence, first), std::min(drop.last_sequence, last));
    if (part == 0) continue;
    uint64_t gone = 0;
    for (const auto& [from, to] : account.stored.gaps(drop.first_sequence, drop.last_sequence)) {
      add_saturating(gone, range_size(from, to));
    }
    add_saturating(sum, share(drop.points, part, gone));
  }
  return sum;
}

// Divides the points of a gap among the outcomes of its batches.
class Division {
 public:
  explicit Division(LedgerSums& sums, const LedgerRow& row)
      : sums_(sums),
        outcomes_({{{&row.waiting, &sums.waiting},
                    {&row.missing, &sums.missing},
                    {&row.elsewhere, &sums.elsewhere},
                    {&row.expired, &sums.expired},
                    {&row.unread, &sums.unread}}}) {}

  void add(uint64_t first, uint64_t last, uint64_t points) {
    uint64_t batches = 0;
    size_t kinds = 0;
    for (const auto& [ranges, amount] : outcomes_) {
      const uint64_t own = overlap(*ranges, first, last);
      add_saturating(batches, own);
      if (own > 0) ++kinds;
    }
    if (kinds > 1) sums_.estimated = true;
    for (const auto& [ranges, amount] : outcomes_) {
      const uint64_t own = overlap(*ranges, first, last);
      const uint64_t part = share(points, own, batches);
      add_saturating(amount->points, part);
      points -= part;
      batches -= own;
    }
  }

 private:
  LedgerSums& sums_;
  const std::array<std::pair<const Ranges*, Amount*>, 5> outcomes_;
};

}  // namespace

LedgerSums sums_of(const Account& account, const LedgerRow& row) {
  LedgerSums sums;
  sums.stored = {row.batches_stored, row.points_stored};
  for (const metrics::Drop& drop : row.dropped) {
    add_saturating(sums.dropped.batches, drop.batches);
    add_saturating(sums.dropped.points, drop.points);
  }
  sums.waiting.batches = count(row.waiting);
  sums.missing.batches = count(row.missing);
  sums.elsewhere.batches = count(row.elsewhere);
  sums.expired.batches = count(row.expired);
  sums.unread.batches = count(row.unread);
  sums.made.batches = std::max({account.stored.last(), account.dropped.sequences().last(), account.claimed - 1,
                                account.end ? account.end->last_sequence : 0});
  sums.made.points = row.points_made;
  if (const uint64_t newest = account.stored.last(); newest < UINT64_MAX) {
    add_saturating(sums.made.points, dropped_within(account, newest + 1, UINT64_MAX));
  }
  Division division(sums, row);
  for (const auto& [first, last] : account.stored.gaps(1, account.stored.last())) {
    const auto points = account.point_sums.of_gap(first, last);
    if (!points) sums.estimated = true;
    if (points) division.add(first, last, *points - std::min(*points, dropped_within(account, first, last)));
  }
  return sums;
}

}  // namespace monitor::analysis
