#include "agent/drops.h"

#include <algorithm>

namespace monitor::agent {

void Drops::restore(const std::vector<metrics::Drop>& drops) {
  for (const metrics::Drop& drop : drops) record(drop);
}

void Drops::merge(metrics::Drop& into, const metrics::Drop& from) {
  into.batches += from.batches;
  into.ticks += from.ticks;
  into.points += from.points;
  if (from.first_sequence != 0) {
    into.first_sequence = std::min(into.first_sequence, from.first_sequence);
    into.last_sequence = std::max(into.last_sequence, from.last_sequence);
  }
  // 0: unknown.
  if (into.first_time_ns == 0 || (from.first_time_ns != 0 && from.first_time_ns < into.first_time_ns)) {
    into.first_time_ns = from.first_time_ns;
  }
  into.last_time_ns = std::max(into.last_time_ns, from.last_time_ns);
}

void Drops::dropped(metrics::Drop drop) {
  if (drop.incarnation.empty()) drop.incarnation = incarnation_;
  metrics::Drop& total = totals_[{drop.stage, drop.reason, drop.plugin}];
  total.stage = drop.stage;
  total.plugin = drop.plugin;
  total.reason = drop.reason;
  total.batches += drop.batches;
  total.ticks += drop.ticks;
  total.points += drop.points;
  record(std::move(drop));
}

void Drops::record(metrics::Drop drop) {
  const bool crowded = records_.size() >= kCrowd;
  const bool full = records_.size() >= kMaxRecords;
  for (Record& record : records_) {
    const metrics::Drop& other = record.drop;
    const bool same = other.incarnation == drop.incarnation && other.stage == drop.stage &&
                      other.reason == drop.reason && other.plugin == drop.plugin;
    // A range of sequences may only grow without a gap, because the sequences in between would count as dropped.
    const bool adjacent = (drop.first_sequence == 0) == (other.first_sequence == 0) &&
                          (drop.first_sequence == 0 || drop.first_sequence == other.last_sequence + 1 || full);
    if (!same || !adjacent || (record.first_carrier != 0 && !crowded)) continue;
    merge(record.drop, drop);
    record.first_carrier = 0;
    return;
  }
  records_.push_back({std::move(drop), 0});
}

std::vector<metrics::Drop> Drops::totals() const {
  std::vector<metrics::Drop> result;
  result.reserve(totals_.size());
  for (const auto& [key, total] : totals_) result.push_back(total);
  return result;
}

std::vector<metrics::Drop> Drops::carry(uint64_t sequence) {
  std::vector<metrics::Drop> result;
  for (Record& record : records_) {
    if (result.size() == kMaxCarried) break;  // further ones follow once these are acknowledged
    if (record.first_carrier == 0) record.first_carrier = sequence;
    result.push_back(record.drop);
  }
  return result;
}

std::vector<metrics::Drop> Drops::records() const {
  std::vector<metrics::Drop> result;
  result.reserve(records_.size());
  for (const Record& record : records_) result.push_back(record.drop);
  return result;
}

void Drops::carried(uint64_t sequence) {
  std::erase_if(records_,
                [&](const Record& record) { return record.first_carrier != 0 && record.first_carrier <= sequence; });
}

}  // namespace monitor::agent
