#include "views/ledger/recent_losses.h"

#include <algorithm>

#include "base/saturating.h"

namespace monitor::analysis {

RecentLosses::Kind* RecentLosses::kind_of(const metrics::Drop& drop) {
  const auto known = std::ranges::find_if(kinds_, [&](const Kind& kind) {
    return kind.stage == drop.stage && kind.reason == drop.reason && kind.plugin == drop.plugin;
  });
  if (known != kinds_.end()) return &*known;
  if (kinds_.size() == kMostKinds) return nullptr;
  kinds_.push_back({drop.stage, drop.reason, drop.plugin, {}});
  return &kinds_.back();
}

void RecentLosses::add(const metrics::Drop& drop) {
  if (drop.first_sequence != 0 || drop.first_time_ns == 0) return;
  Kind* const kind = kind_of(drop);
  if (kind == nullptr) return;
  std::vector<Loss>& losses = kind->losses;
  const auto at = std::ranges::lower_bound(losses, drop.first_time_ns, {}, &Loss::first_time_ns);
  if (at != losses.end() && at->first_time_ns == drop.first_time_ns) {
    at->ticks = std::max(at->ticks, drop.ticks);
    at->points = std::max(at->points, drop.points);
    at->last_time_ns = std::max(at->last_time_ns, drop.last_time_ns);
    return;
  }
  // What is that old is in the sum already.
  if (losses.size() == kMost && drop.first_time_ns <= losses.front().last_time_ns) return;
  losses.insert(at, {drop.ticks, drop.points, drop.first_time_ns, std::max(drop.first_time_ns, drop.last_time_ns)});
  if (losses.size() <= kMost) return;
  Loss& second = losses[1];
  add_saturating(second.ticks, losses[0].ticks);
  add_saturating(second.points, losses[0].points);
  second.first_time_ns = losses[0].first_time_ns;
  second.last_time_ns = std::max(second.last_time_ns, losses[0].last_time_ns);
  losses.erase(losses.begin());
}

}  // namespace monitor::analysis
