#include "views/ledger/sums.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

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

// How many sequences in [first, last] are not stored.
uint64_t gone_within(const Account& account, uint64_t first, uint64_t last) {
  uint64_t gone = 0;
  if (last < first) return 0;
  for (const auto& [from, to] : account.stored.gaps(first, last)) add_saturating(gone, range_size(from, to));
  return gone;
}

// How many of the points of a drop, as DroppedRanges::totals() counts them, are in [first, last]. The parts of adjacent
// ranges add up to the whole.
uint64_t points_within(const Account& account, const metrics::Drop& drop, uint64_t first, uint64_t last) {
  const uint64_t gone = gone_within(account, drop.first_sequence, drop.last_sequence);
  const uint64_t all = share(drop.points, std::min(drop.batches, gone), drop.batches);
  const uint64_t before = first <= drop.first_sequence
                              ? 0
                              : gone_within(account, drop.first_sequence, std::min(first - 1, drop.last_sequence));
  const uint64_t until = gone_within(account, drop.first_sequence, std::min(last, drop.last_sequence));
  return share(all, until, gone) - share(all, before, gone);
}

// The ranges of drops that touch [first, last].
std::vector<metrics::Drop> drops_within(const Account& account, uint64_t first, uint64_t last) {
  std::vector<metrics::Drop> found;
  const auto& ranges = account.dropped.ranges();
  auto at = ranges.upper_bound(first);
  if (at != ranges.begin()) --at;
  for (; at != ranges.end() && at->first <= last; ++at) {
    if (at->second.last_sequence >= first) found.push_back(at->second);
  }
  return found;
}

uint64_t points_of(const Account& account, const std::vector<metrics::Drop>& drops, uint64_t first, uint64_t last) {
  uint64_t sum = 0;
  for (const metrics::Drop& drop : drops) add_saturating(sum, points_within(account, drop, first, last));
  return sum;
}

// Divides the points of a gap among the outcomes of its batches.
class Division {
 public:
  Division(LedgerSums& sums, LedgerRow& row)
      : sums_(sums),
        row_(row),
        outcomes_({{{&row.waiting, &sums.waiting},
                    {&row.missing, &sums.missing},
                    {&row.elsewhere, &sums.elsewhere},
                    {&row.expired, &sums.expired},
                    {&row.unread, &sums.unread}}}) {}

  // `points`: of all batches of the gap; `dropped`: of these, those that its drops name.
  void add(uint64_t first, uint64_t last, uint64_t points, uint64_t dropped, const std::vector<metrics::Drop>& drops) {
    if (dropped > points) return correct(drops, dropped - points);
    points -= dropped;
    if (points == 0) return;
    std::vector<std::pair<uint64_t, uint64_t*>> parts;  // batches, and where their points are counted
    parts.reserve(outcomes_.size() + drops.size());
    for (const auto& [ranges, amount] : outcomes_) {
      if (const uint64_t own = overlap(*ranges, first, last); own > 0) parts.emplace_back(own, &amount->points);
    }
    const bool only_drops = parts.empty();
    for (const metrics::Drop& drop : drops) {
      // A damaged batch cannot be counted by the agent. Heartbeats have no points either, and are the same to a reader.
      metrics::Drop* const own = drop.points == 0 || only_drops ? entry_of(drop) : nullptr;
      if (own != nullptr && drop.batches > 0) parts.emplace_back(drop.batches, &own->points);
    }
    divide(parts, points);
  }

 private:
  // The row's total of a drop.
  metrics::Drop* entry_of(const metrics::Drop& drop) {
    const auto own = std::ranges::find_if(row_.dropped, [&](const metrics::Drop& one) {
      return one.stage == drop.stage && one.reason == drop.reason && is_placed(one);
    });
    return own == row_.dropped.end() ? nullptr : &*own;
  }

  void divide(const std::vector<std::pair<uint64_t, uint64_t*>>& parts, uint64_t points) {
    if (parts.size() > 1) sums_.estimated = true;
    uint64_t batches = 0;
    for (const auto& [own, sum] : parts) add_saturating(batches, own);
    for (const auto& [own, sum] : parts) {
      const uint64_t part = share(points, own, batches);
      add_saturating(*sum, part);
      points -= part;
      batches -= own;
    }
  }

  // The drops name more points than the gap has: they were divided among more batches than were dropped.
  void correct(const std::vector<metrics::Drop>& drops, uint64_t points) {
    sums_.estimated = true;
    for (const metrics::Drop& drop : drops) {
      metrics::Drop* const own = entry_of(drop);
      if (own == nullptr) continue;
      const uint64_t part = std::min(points, own->points);
      own->points -= part;
      points -= part;
    }
  }

  LedgerSums& sums_;
  LedgerRow& row_;
  const std::array<std::pair<const Ranges*, Amount*>, 5> outcomes_;
};

}  // namespace

LedgerSums sums_of(const Account& account, LedgerRow& row) {
  LedgerSums sums;
  sums.stored = {row.batches_stored, row.points_stored};
  sums.waiting.batches = count(row.waiting);
  sums.missing.batches = count(row.missing);
  sums.elsewhere.batches = count(row.elsewhere);
  sums.expired.batches = count(row.expired);
  sums.unread.batches = count(row.unread);
  sums.made.batches = std::max({account.stored.last(), account.dropped.sequences().last(), account.claimed - 1,
                                account.end ? account.end->last_sequence : 0});
  sums.made.points = row.points_made;
  if (const uint64_t newest = account.stored.last(); newest < UINT64_MAX) {
    const auto later = drops_within(account, newest + 1, UINT64_MAX);
    add_saturating(sums.made.points, points_of(account, later, newest + 1, UINT64_MAX));
  }
  Division division(sums, row);
  for (const auto& [first, last] : account.stored.gaps(1, account.stored.last())) {
    const auto points = account.point_sums.of_gap(first, last);
    if (!points) sums.estimated = true;
    if (!points) continue;
    const auto drops = drops_within(account, first, last);
    division.add(first, last, *points, points_of(account, drops, first, last), drops);
  }
  for (const metrics::Drop& drop : row.dropped) {
    if (!is_placed(drop)) continue;
    add_saturating(sums.dropped.batches, drop.batches);
    add_saturating(sums.dropped.points, drop.points);
  }
  return sums;
}

}  // namespace monitor::analysis
