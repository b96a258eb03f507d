#include "notify/courier_pool.h"

#include <algorithm>
#include <iterator>

namespace monitor::notify {

CourierPool::CourierPool(SenderFactory make, const QueueLimits& limits, const Clock& clock,
                         telemetry::Registry& registry, Courier::OnEnded on_ended)
    : make_(std::move(make)), limits_(limits), clock_(clock), registry_(registry), on_ended_(std::move(on_ended)) {}

std::vector<std::shared_ptr<const Notification>> CourierPool::configure(const Config& config) {
  auto rest = retire(config);
  for (const Receiver& receiver : config.receivers) {
    for (const Integration& one : receiver.integrations) {
      const Name name(receiver.name, one.name);
      if (couriers_.contains(name)) continue;
      auto courier = make_courier(name, one);
      const std::lock_guard lock(mutex_);
      couriers_.emplace(name, std::move(courier));
    }
  }
  return rest;
}

// Stops the couriers whose integration has changed or is gone; returns what they have not delivered.
std::vector<std::shared_ptr<const Notification>> CourierPool::retire(const Config& config) {
  std::vector<std::unique_ptr<Courier>> old;
  {
    const std::lock_guard lock(mutex_);
    for (auto one = couriers_.begin(); one != couriers_.end();) {
      const Receiver* const receiver = config.receiver(one->first.first);
      const bool same = receiver != nullptr && std::ranges::find(receiver->integrations, one->second->integration()) !=
                                                   receiver->integrations.end();
      if (same) {
        ++one;
        continue;
      }
      old.push_back(std::move(one->second));
      one = couriers_.erase(one);
    }
  }
  std::vector<std::shared_ptr<const Notification>> rest;
  for (const auto& one : old) std::ranges::move(one->stop(), std::back_inserter(rest));
  return rest;
}

std::unique_ptr<Courier> CourierPool::make_courier(const Name& name, const Integration& integration) {
  auto& metrics = metrics_[name];
  if (!metrics) metrics = std::make_shared<CourierMetrics>(registry_, name.first, name.second);
  QueueLimits limits = limits_;
  // A topic is a record of what has happened, for programs.
  limits.supersede = integration.kind != Kind::kKafka;
  // An Alertmanager gets every alert again soon.
  if (integration.kind == Kind::kAlertmanager) {
    limits.keep_ms = std::min(limits.keep_ms, 4 * integration.resend_delay_ms);
  }
  return std::make_unique<Courier>(name.first, integration, make_(integration), clock_, metrics, limits, on_ended_);
}

bool CourierPool::send(std::shared_ptr<const Notification> notification) {
  const auto found = couriers_.find({notification->receiver, notification->integration});
  if (found == couriers_.end()) return false;
  found->second->push(std::move(notification));
  return true;
}

void CourierPool::withdraw(const LogKey& key) {
  const auto found = couriers_.find({key.receiver, key.integration});
  if (found != couriers_.end()) found->second->withdraw(key.group_key);
}

void CourierPool::stop() {
  const std::lock_guard lock(mutex_);
  for (auto& [name, one] : couriers_) (void)one->stop();
  couriers_.clear();
}

std::vector<ReceiverState> CourierPool::receivers() const {
  const std::lock_guard lock(mutex_);
  std::vector<ReceiverState> states;
  for (const auto& [name, one] : couriers_)
    states.push_back({name.first, name.second, static_cast<int64_t>(one->waiting()), one->trouble()});
  return states;
}

}  // namespace monitor::notify
