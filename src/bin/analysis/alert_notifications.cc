#include "bin/analysis/alert_notifications.h"

#include <utility>

#include "base/log.h"

namespace monitor {

AlertNotifications::AlertNotifications(notify::NotifierOptions options, Share share, const Clock& clock,
                                       telemetry::Registry& registry)
    : options_(std::move(options)),
      share_(std::move(share)),
      clock_(clock),
      registry_(registry),
      active_gauge_(registry.gauge("monitor_notify_active", "1 while this instance is the one that notifies.")) {}

void AlertNotifications::set_active(bool active) {
  active_ = active;
  not_before_ns_ = 0;
  if (active) {
    (void)ready();
  } else {
    stop();
  }
}

void AlertNotifications::stop() {
  notifier_.reset();
  active_gauge_.set(0);
}

bool AlertNotifications::ready() {
  constexpr int64_t kPauseNs = 5 * kNanosPerSecond;
  if (notifier_ && !notifier_->replaced().empty()) {
    // If this instance still is the one, it takes over from the other one.
    stop();
    not_before_ns_ = clock_.mono_ns() + kPauseNs;
  }
  if (!notifier_ && active_ && clock_.mono_ns() >= not_before_ns_) start();
  return notifier_ != nullptr;
}

void AlertNotifications::start() {
  notify::NotifierOptions options = options_;
  if (share_) options.shared = share_();
  auto started = notify::Notifier::start(options, clock_, registry_);
  if (started) {
    notifier_ = std::move(*started);
    trouble_.clear();
    active_gauge_.set(1);
    log_info("this instance notifies of alerts", {{"file", options.config_path}});
    return;
  }
  not_before_ns_ = clock_.mono_ns() + kNanosPerSecond;
  if (trouble_ == started.error().message()) return;
  trouble_ = started.error().message();
  log_error("this instance cannot send notifications; retrying", {{"reason", trouble_}});
}

void AlertNotifications::update(std::span<const rules::Alert> alerts, int64_t evaluated_at_ms) {
  if (ready()) notifier_->update(alerts, evaluated_at_ms);
}

void AlertNotifications::update_group(const std::string& group, std::span<const rules::Alert> alerts,
                                      int64_t evaluated_at_ms) {
  if (ready()) notifier_->update_group(group, alerts, evaluated_at_ms);
}

void AlertNotifications::update_groups(const std::set<std::string>& groups, int64_t evaluated_at_ms) {
  if (ready()) notifier_->update_groups(groups, evaluated_at_ms);
}

}  // namespace monitor
