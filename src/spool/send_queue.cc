#include "spool/send_queue.h"

#include <algorithm>
#include <utility>

namespace monitor::agent {

std::optional<RecordRef> SendQueue::push_fresh(RecordRef ref) {
  standing_[ref.info.incarnation].add(ref.info.sequence);
  fresh_.push_back(std::move(ref));
  if (fresh_.size() <= kMaxFresh) return std::nullopt;
  RecordRef oldest = std::move(fresh_.front());
  fresh_.pop_front();
  leave(oldest);
  return oldest;
}

void SendQueue::leave(const RecordRef& ref) {
  const auto it = standing_.find(ref.info.incarnation);
  if (it == standing_.end()) return;
  it->second.remove(ref.info.sequence);
  if (it->second.empty()) standing_.erase(it);
}

uint64_t SendQueue::send(uint64_t id, RecordRef ref, int64_t now_ns) {
  ref.sent_ns = now_ns;
  if (ref.replayed) pacer_.sent(ref.bytes);
  in_flight_.emplace(id, std::move(ref));
  return id;
}

uint64_t SendQueue::send_fresh(int64_t now_ns) {
  RecordRef ref = std::move(fresh_.front());
  fresh_.pop_front();
  return send(next_id_++, std::move(ref), now_ns);
}

uint64_t SendQueue::send_returned(int64_t now_ns) {
  auto node = returned_.extract(returned_.begin());
  return send(node.key(), std::move(node.mapped()), now_ns);
}

uint64_t SendQueue::send_replayed(RecordRef ref, int64_t now_ns) {
  ref.replayed = true;
  standing_[ref.info.incarnation].add(ref.info.sequence);
  return send(next_id_++, std::move(ref), now_ns);
}

std::optional<RecordRef> SendQueue::take(uint64_t id) {
  const auto it = in_flight_.find(id);
  if (it == in_flight_.end()) return std::nullopt;
  RecordRef ref = std::move(it->second);
  in_flight_.erase(it);
  leave(ref);
  return ref;
}

std::optional<RecordRef> SendQueue::acknowledged(uint64_t id, int64_t now_ns) {
  auto ref = take(id);
  if (ref && ref->replayed) pacer_.acknowledged(ref->bytes, ref->sent_ns, now_ns);
  return ref;
}

std::optional<RecordRef> SendQueue::rejected(uint64_t id) {
  auto ref = take(id);
  if (ref && ref->replayed) pacer_.ended(ref->bytes);
  return ref;
}

void SendQueue::returned(uint64_t id) {
  auto node = in_flight_.extract(id);
  if (node.empty()) return;
  RecordRef& ref = node.mapped();
  if (ref.replayed) pacer_.ended(ref.bytes);
  ref.replayed = true;
  returned_.insert(std::move(node));
}

template <typename F>
void SendQueue::for_each(const std::string& incarnation, uint64_t sequence, F&& change) {
  const auto is_it = [&](const RecordRef& ref) {
    return ref.info.sequence == sequence && ref.info.incarnation == incarnation;
  };
  for (RecordRef& ref : fresh_) {
    if (is_it(ref)) change(ref);
  }
  for (ById* map : {&returned_, &in_flight_}) {
    for (auto& [id, ref] : *map) {
      if (is_it(ref)) change(ref);
    }
  }
}

void SendQueue::forget(const std::string& incarnation, uint64_t first, uint64_t last) {
  const auto it = standing_.find(incarnation);
  if (it == standing_.end() || !it->second.intersects(first, last)) return;
  const auto is_it = [&](const RecordRef& ref) {
    return ref.info.sequence >= first && ref.info.sequence <= last && ref.info.incarnation == incarnation;
  };
  std::erase_if(fresh_, is_it);
  std::erase_if(returned_, [&](const auto& one) { return is_it(one.second); });
  std::erase_if(in_flight_, [&](const auto& one) {
    if (!is_it(one.second)) return false;
    if (one.second.replayed) pacer_.ended(one.second.bytes);
    return true;
  });
  it->second.remove(first, last);
  if (it->second.empty()) standing_.erase(it);
}

void SendQueue::move(const std::string& incarnation, uint64_t sequence, RecordPosition at) {
  if (!has(incarnation, sequence)) return;
  for_each(incarnation, sequence, [&](RecordRef& ref) { ref.at = at; });
}

bool SendQueue::has(const std::string& incarnation, uint64_t sequence) const {
  const auto it = standing_.find(incarnation);
  return it != standing_.end() && it->second.contains(sequence);
}

bool SendQueue::is_fresh(const std::string& incarnation, uint64_t sequence) const {
  return std::any_of(fresh_.begin(), fresh_.end(), [&](const RecordRef& ref) {
    return ref.info.sequence == sequence && ref.info.incarnation == incarnation;
  });
}

IntervalSet SendQueue::standing(const std::string& incarnation) const {
  const auto it = standing_.find(incarnation);
  return it == standing_.end() ? IntervalSet() : it->second;
}

int64_t SendQueue::oldest_time_ns() const {
  int64_t oldest = INT64_MAX;
  const auto look = [&](const RecordRef& ref) { oldest = std::min(oldest, ref.info.appended_ns); };
  if (!fresh_.empty()) look(fresh_.front());
  if (!returned_.empty()) look(returned_.begin()->second);
  if (!in_flight_.empty()) look(in_flight_.begin()->second);
  return oldest;
}

}  // namespace monitor::agent
