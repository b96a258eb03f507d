#include "spool/memory_spool.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"

namespace monitor::agent {

void MemorySpool::erase(Place place) {
  bytes_ -= cost(place->second);
  waiting_.erase(place);
}

bool MemorySpool::make_room(size_t needed) {
  if (full_ == SpoolFull::kDropNewest) return bytes_ + needed <= max_bytes_;
  while (bytes_ + needed > max_bytes_ && !waiting_.empty()) {
    const auto oldest = waiting_.begin();
    const BatchInfo info = oldest->second.info;
    queue_.forget(info.incarnation, info.sequence, info.sequence);
    erase(oldest);
    listener_.on_lost(drop_of(info, metrics::stage::kSpool, metrics::reason::kFull));
  }
  return bytes_ + needed <= max_bytes_;
}

Status MemorySpool::append(BatchInfo info, std::string bytes) {
  bytes.shrink_to_fit();  // reserved capacity would count against the limit
  Waiting waiting{std::move(info), std::move(bytes)};
  incarnation_ = waiting.info.incarnation;
  last_sequence_ = waiting.info.sequence;
  const size_t needed = cost(waiting);
  if (!make_room(needed)) {
    listener_.on_lost(drop_of(waiting.info, metrics::stage::kSpool, metrics::reason::kFull));
    return Error(Code::kResourceExhausted,
                 fmt::format("spool: a batch of {} bytes does not fit into {}", waiting.bytes.size(), max_bytes_));
  }
  bytes_ += needed;
  const bool caught_up = waiting_.empty() || waiting_.rbegin()->first < cursor_;
  RecordRef ref{waiting.info, {}, waiting.bytes.size()};
  if (caught_up) cursor_ = waiting.info.sequence + 1;
  waiting_.emplace_hint(waiting_.end(), waiting.info.sequence, std::move(waiting));
  if (const auto left_out = queue_.push_fresh(std::move(ref))) cursor_ = std::min(cursor_, left_out->info.sequence);
  return {};
}

uint64_t MemorySpool::first_unacked(const std::string& incarnation, uint64_t next_sequence) const {
  if (waiting_.empty() || waiting_.begin()->second.info.incarnation != incarnation) return next_sequence;
  return std::min(next_sequence, waiting_.begin()->first);
}

std::vector<metrics::OlderIncarnation> MemorySpool::older(const std::string&) const {
  return {};  // a spool in memory ends with its process
}

std::vector<SettledSequences> MemorySpool::settled() const {
  if (last_sequence_ == 0) return {};
  SettledSequences own{incarnation_, {}};
  own.sequences.add(1, last_sequence_);
  for (const auto& [sequence, waiting] : waiting_) own.sequences.remove(sequence);
  return {std::move(own)};
}

int64_t MemorySpool::oldest_time_ns() const {
  return waiting_.empty() ? 0 : waiting_.begin()->second.info.last_time_ns;
}

SpoolStats MemorySpool::stats() const {
  SpoolStats stats;
  stats.memory_batches = waiting_.size();
  return stats;
}

std::optional<stream::Outgoing> MemorySpool::next() {
  const int64_t now = clock_.mono_ns();
  if (const RecordRef* const fresh = queue_.fresh()) {
    const std::string& bytes = waiting_.at(fresh->info.sequence).bytes;
    return stream::Outgoing{queue_.send_fresh(now), bytes};
  }
  if (!queue_.may_replay()) return std::nullopt;
  if (const RecordRef* const ref = queue_.returned()) {
    const std::string& bytes = waiting_.at(ref->info.sequence).bytes;
    return stream::Outgoing{queue_.send_returned(now), bytes};
  }
  return replay();
}

std::optional<stream::Outgoing> MemorySpool::replay() {
  for (auto it = waiting_.lower_bound(cursor_); it != waiting_.end(); ++it) {
    cursor_ = it->first + 1;
    const Waiting& waiting = it->second;
    if (queue_.has(waiting.info.incarnation, waiting.info.sequence)) continue;
    RecordRef ref{waiting.info, {}, waiting.bytes.size()};
    return stream::Outgoing{queue_.send_replayed(std::move(ref), clock_.mono_ns()), waiting.bytes};
  }
  return std::nullopt;
}

void MemorySpool::acknowledged(uint64_t id) {
  const auto ref = queue_.acknowledged(id, clock_.mono_ns());
  if (!ref) return;  // dropped in the meantime; readers count a batch that is both stored and dropped as stored
  erase(waiting_.find(ref->info.sequence));
  listener_.on_stored(ref->info);
}

void MemorySpool::rejected(uint64_t id, stream::RejectedBy by, std::string_view reason) {
  const auto ref = queue_.rejected(id);
  if (!ref) return;
  erase(waiting_.find(ref->info.sequence));
  listener_.on_lost(drop_of_rejected(ref->info, by, reason));
}

}  // namespace monitor::agent
