// CourierPool: a courier for each integration of the configuration, so that an unreachable receiver delays no other
// one.
//
// configure(), send() and stop() on one thread; receivers() on any. The clock and the registry must outlive it.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "notify/config.h"
#include "notify/courier.h"
#include "notify/delivery_queue.h"
#include "notify/notification_log.h"
#include "notify/receiver_state.h"
#include "notify/sender.h"
#include "telemetry/registry.h"

namespace monitor::notify {

class CourierPool {
 public:
  // `on_ended` is called on the couriers' threads, and by send() and configure().
  CourierPool(SenderFactory make, const QueueLimits& limits, const Clock& clock, telemetry::Registry& registry,
              Courier::OnEnded on_ended);
  ~CourierPool() { stop(); }
  CourierPool(const CourierPool&) = delete;
  CourierPool& operator=(const CourierPool&) = delete;

  // Keeps the couriers of unchanged integrations, and ends the others. Returns their undelivered notifications, for
  // send().
  std::vector<std::shared_ptr<const Notification>> configure(const Config& config);
  // False if the configuration has no such integration.
  bool send(std::shared_ptr<const Notification> notification);
  // Drops the waiting notifications about this group, because its alerts have ended and the integration gets no
  // resolved alerts.
  void withdraw(const LogKey& key);
  // The couriers may still call `on_ended` while they stop.
  void stop();
  std::vector<ReceiverState> receivers() const;

 private:
  using Name = std::pair<std::string, std::string>;  // receiver and integration

  std::vector<std::shared_ptr<const Notification>> retire(const Config& config);
  std::unique_ptr<Courier> make_courier(const Name& name, const Integration& integration);

  const SenderFactory make_;
  const QueueLimits limits_;
  const Clock& clock_;
  telemetry::Registry& registry_;
  const Courier::OnEnded on_ended_;
  std::map<Name, std::shared_ptr<CourierMetrics>> metrics_;
  mutable std::mutex mutex_;  // guards the map; only the owner's thread changes it
  std::map<Name, std::unique_ptr<Courier>> couriers_;
};

}  // namespace monitor::notify
