#include "agent/spool/memory_spool.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"

namespace monitor::agent {

void MemorySpool::erase(Place place) {
  bytes_ -= cost(place->second);
  if (!place->second.sent) --unsent_;
  waiting_.erase(place);
}

bool MemorySpool::make_room(size_t needed) {
  while (bytes_ + needed > max_bytes_ && !waiting_.empty()) {
    const auto oldest = waiting_.begin();
    listener_.on_lost(oldest->second.info, metrics::stage::kSpool, metrics::reason::kFull);
    erase(oldest);
  }
  return bytes_ + needed <= max_bytes_;
}

Status MemorySpool::append(BatchInfo info, std::string bytes) {
  Waiting waiting{std::move(info), std::move(bytes), false};
  const size_t needed = cost(waiting);
  if (!make_room(needed)) {
    listener_.on_lost(waiting.info, metrics::stage::kSpool, metrics::reason::kFull);
    return Error(Code::kResourceExhausted,
                 fmt::format("spool: a batch of {} bytes does not fit into {}", waiting.bytes.size(), max_bytes_));
  }
  bytes_ += needed;
  ++unsent_;
  waiting_.emplace_hint(waiting_.end(), next_id_++, std::move(waiting));
  return {};
}

uint64_t MemorySpool::first_unacked(const std::string& incarnation, uint64_t next_sequence) const {
  uint64_t first = next_sequence;
  for (const auto& [id, waiting] : waiting_) {
    // Appended in the order of sequences: the first of the incarnation is its lowest.
    if (waiting.info.incarnation == incarnation) return std::min(first, waiting.info.sequence);
  }
  return first;
}

std::vector<metrics::OlderIncarnation> MemorySpool::older(const std::string&) const {
  return {};  // what is in memory ended with its process
}

int64_t MemorySpool::oldest_time_ns() const {
  return waiting_.empty() ? 0 : waiting_.begin()->second.info.last_time_ns;
}

std::optional<protocol::Outgoing> MemorySpool::next() {
  if (unsent_ == 0) return std::nullopt;
  // Sent ones stand before unsent ones, but for what a rewind gave back: both ends are near.
  for (auto& [id, waiting] : waiting_) {
    if (waiting.sent) continue;
    waiting.sent = true;
    --unsent_;
    return protocol::Outgoing{id, waiting.bytes};
  }
  return std::nullopt;
}

void MemorySpool::acknowledged(uint64_t id) {
  const auto place = waiting_.find(id);
  if (place == waiting_.end()) return;  // dropped meanwhile; stored beats dropped at the reader
  const BatchInfo info = place->second.info;
  erase(place);
  listener_.on_stored(info);
}

void MemorySpool::rejected(uint64_t id, std::string_view reason) {
  const auto place = waiting_.find(id);
  if (place == waiting_.end()) return;
  const BatchInfo info = place->second.info;
  erase(place);
  log_warning("batch refused by the server", {{"sequence", info.sequence}, {"reason", reason}});
  listener_.on_lost(info, metrics::stage::kServer, protocol::reject_word(reason));
}

void MemorySpool::returned(uint64_t id) {
  const auto place = waiting_.find(id);
  if (place == waiting_.end() || !place->second.sent) return;
  place->second.sent = false;
  ++unsent_;
}

}  // namespace monitor::agent
