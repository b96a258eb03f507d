#include "inputs/stream/held_batches.h"

#include <string>
#include <string_view>

namespace monitor::server {

namespace {

HashKey new_key(Random& random) {
  const uint64_t first = random.next();
  return {first, random.next()};
}

metriclog::Delivery again(uint64_t token) {
  return {.token = token,
          .outcome = metriclog::Outcome::kRetry,
          .reason = "the batch of which it is a copy was not stored"};
}

}  // namespace

HeldBatches::HeldBatches(Random& random)
    : name_key_(new_key(random)), second_name_key_(new_key(random)), content_key_(new_key(random)) {}

void HeldBatches::deliver(const Outcomes& outcomes) {
  for (const auto& [waiter, delivery] : outcomes) waiter.listener->on_delivered({&delivery, 1});
}

HeldBatches::Id HeldBatches::id_of(const metrics::BatchView& view, std::string_view batch) const {
  std::string name;
  name.reserve(sizeof view.sequence + view.incarnation.size() + view.agent_id.size());
  name.append(reinterpret_cast<const char*>(&view.sequence), sizeof view.sequence);
  name.append(view.incarnation).append(view.agent_id);
  return {hash64(name_key_, name), hash64(second_name_key_, name), hash64(content_key_, batch)};
}

HeldBatches::State HeldBatches::look(const Id& id, const Waiter& waiter) {
  if (const auto content = stored_.find(id.first, id.second)) {
    return *content == id.content ? State::kStored : State::kOther;
  }
  const auto it = held_.find({id.first, id.second});
  if (it == held_.end()) return State::kUnknown;
  if (it->second.content != id.content) return State::kOther;
  it->second.waiting.push_back(waiter);
  return State::kHeld;
}

HeldBatches::State HeldBatches::join(const Id& id, const Waiter& waiter) {
  const std::lock_guard lock(mutex_);
  return look(id, waiter);
}

HeldBatches::State HeldBatches::hold(const Id& id, const Waiter& waiter) {
  const std::lock_guard lock(mutex_);
  const State state = look(id, waiter);
  if (state != State::kUnknown) return state;
  const Name name{id.first, id.second};
  held_.emplace(name, Held{.content = id.content});
  owners_.insert_or_assign(waiter, name);
  return state;
}

// Passes the outcome of the batch that `owner` appended on to those that wait for it. Requires the lock.
void HeldBatches::end(const Waiter& owner, const metriclog::Delivery& delivery, Outcomes& outcomes) {
  const auto found = owners_.find(owner);
  if (found == owners_.end()) return;
  const Name name = found->second;
  owners_.erase(found);
  const auto it = held_.find(name);
  if (it == held_.end()) return;
  for (const Waiter& waiter : it->second.waiting) {
    outcomes.emplace_back(waiter, delivery);
    outcomes.back().second.token = waiter.token;
  }
  if (delivery.outcome == metriclog::Outcome::kStored) stored_.add({name.first, name.second, it->second.content});
  held_.erase(it);
}

HeldBatches::Outcomes HeldBatches::release(const Waiter& waiter) {
  Outcomes outcomes;
  const std::lock_guard lock(mutex_);
  end(waiter, again(waiter.token), outcomes);
  return outcomes;
}

HeldBatches::Outcomes HeldBatches::settle(metriclog::DeliveryListener* listener,
                                          std::span<const metriclog::Delivery> deliveries) {
  Outcomes outcomes;
  const std::lock_guard lock(mutex_);
  for (const metriclog::Delivery& delivery : deliveries) end({listener, delivery.token}, delivery, outcomes);
  return outcomes;
}

HeldBatches::Outcomes HeldBatches::reset(metriclog::DeliveryListener* listener) {
  Outcomes outcomes;
  const std::lock_guard lock(mutex_);
  std::vector<Waiter> owners;
  for (const auto& [owner, name] : owners_) {
    if (owner.listener == listener) owners.push_back(owner);
  }
  for (const Waiter& owner : owners) end(owner, again(owner.token), outcomes);
  return outcomes;
}

size_t HeldBatches::held() const {
  const std::lock_guard lock(mutex_);
  return owners_.size();
}

size_t HeldBatches::stored() const {
  const std::lock_guard lock(mutex_);
  return stored_.size();
}

}  // namespace monitor::server
