#include "config/reporter.h"

#include <utility>

namespace monitor::config {

namespace {

constexpr int64_t kStatusEvery = 10 * kNanosPerSecond;
constexpr int64_t kInventoryEvery = 60 * kNanosPerSecond;

}  // namespace

Reporter::Reporter(Timers& timers, Self self, StatusPublisher& publisher, Fill fill)
    : timers_(timers),
      self_(std::move(self)),
      publisher_(publisher),
      fill_(std::move(fill)),
      since_ns_(timers.clock().wall_ns()) {}

Reporter::~Reporter() {
  for (const Timers::TimerId timer : {now_timer_, status_timer_}) timers_.cancel_timer(timer);
}

void Reporter::changed() {
  if (stopped_ || now_timer_ != 0) return;
  now_timer_ = timers_.call_after(0, [this] {
    now_timer_ = 0;
    report();
  });
}

void Reporter::report() {
  timers_.cancel_timer(std::exchange(status_timer_, 0));
  AgentStatus status;
  status.version = self_.version;
  status.host = self_.host;
  status.since_ns = since_ns_;
  status.updated_ns = timers_.clock().wall_ns();
  AgentInventory inventory;
  fill_(status, inventory);
  publisher_.put_status(to_json(status));
  const int64_t now = timers_.clock().mono_ns();
  if (now >= inventory_due_ns_ || inventory.plugins != reported_plugins_) {
    publisher_.put_inventory(inventory_json(inventory, status));
    reported_plugins_ = std::move(inventory.plugins);
    inventory_due_ns_ = now + kInventoryEvery;
  }
  status_timer_ = timers_.call_after(kStatusEvery, [this] {
    status_timer_ = 0;
    report();
  });
}

std::string Reporter::inventory_json(AgentInventory& inventory, const AgentStatus& status) const {
  inventory.host = self_.host;
  inventory.groups = status.groups;
  inventory.version = self_.version;
  inventory.last_seen_ns = status.updated_ns;
  return to_json(inventory);
}

void Reporter::stop(bool stopped, std::function<void()> done) {
  stopped_ = true;
  for (Timers::TimerId* timer : {&now_timer_, &status_timer_}) {
    timers_.cancel_timer(std::exchange(*timer, 0));
  }
  AgentStatus status;
  status.updated_ns = timers_.clock().wall_ns();
  AgentInventory inventory;
  fill_(status, inventory);
  if (stopped) inventory.stopped_ns = status.updated_ns;
  publisher_.stop(inventory_json(inventory, status), std::move(done));
}

}  // namespace monitor::config
