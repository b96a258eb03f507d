#include "spool/pending_index.h"

#include <algorithm>

namespace monitor::agent {

PendingIndex::Entry& PendingIndex::entry(const std::string& incarnation) {
  // The running incarnation is last, and looked up most often.
  for (size_t i = entries_.size(); i-- > 0;) {
    if (entries_[i].incarnation == incarnation) return entries_[i];
  }
  entries_.push_back({});
  entries_.back().incarnation = incarnation;
  return entries_.back();
}

const PendingIndex::Entry* PendingIndex::find(const std::string& incarnation) const {
  for (size_t i = entries_.size(); i-- > 0;) {
    if (entries_[i].incarnation == incarnation) return &entries_[i];
  }
  return nullptr;
}

void PendingIndex::wait(const std::string& incarnation, uint64_t sequence, int64_t last_time_ns) {
  Entry& one = entry(incarnation);
  one.waiting.add(sequence);
  if (sequence < one.last_sequence) return;
  one.last_sequence = sequence;
  if (last_time_ns != 0) one.last_time_ns = last_time_ns;
}

bool PendingIndex::settle(const std::string& incarnation, uint64_t sequence) {
  return entry(incarnation).waiting.remove(sequence);
}

bool PendingIndex::waits(const std::string& incarnation, uint64_t sequence) const {
  const Entry* const one = find(incarnation);
  return one != nullptr && one->waiting.contains(sequence);
}

uint64_t PendingIndex::waiting() const {
  uint64_t sum = 0;
  for (const Entry& one : entries_) sum += one.waiting.count();
  return sum;
}

uint64_t PendingIndex::first_waiting(const std::string& incarnation, uint64_t next_sequence) const {
  const Entry* const one = find(incarnation);
  if (one == nullptr || one->waiting.empty()) return next_sequence;
  return std::min(next_sequence, one->waiting.first());
}

std::vector<metrics::OlderIncarnation> PendingIndex::older(const std::string& running, size_t limit) const {
  std::vector<metrics::OlderIncarnation> result;
  for (const Entry& one : entries_) {
    if (result.size() == limit) break;
    if (one.incarnation == running || one.waiting.empty()) continue;
    result.push_back({one.incarnation, one.waiting.first()});
  }
  return result;
}

void PendingIndex::forget(const std::string& running, const std::set<std::string>& on_disk) {
  std::erase_if(entries_, [&](const Entry& one) {
    return one.incarnation != running && one.end_reported && one.waiting.empty() && !on_disk.contains(one.incarnation);
  });
}

std::vector<IncarnationState> PendingIndex::states(const std::string& last) const {
  std::vector<IncarnationState> result;
  result.reserve(entries_.size());
  for (const Entry& one : entries_) {
    IncarnationState state;
    state.incarnation = one.incarnation;
    state.settled.add(1, one.last_sequence);
    for (const auto& [begin, end] : one.waiting.intervals()) state.settled.remove(begin, end);
    state.last_sequence = one.last_sequence;
    state.last_time_ns = one.last_time_ns;
    state.end_reported = one.end_reported;
    state.clean = one.clean;
    result.push_back(std::move(state));
  }
  std::stable_partition(result.begin(), result.end(), [&](const auto& s) { return s.incarnation != last; });
  return result;
}

std::vector<SettledSequences> PendingIndex::settled() const {
  std::vector<SettledSequences> result;
  for (IncarnationState& state : states("")) {
    result.push_back({std::move(state.incarnation), std::move(state.settled)});
  }
  return result;
}

}  // namespace monitor::agent
