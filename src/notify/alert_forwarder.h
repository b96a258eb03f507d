// AlertForwarder: decides which alerts to send to an Alertmanager now: every alert that a route brings to it,
// ungrouped, at once, and again every `resend_delay`. A resolved alert is sent for 15 minutes. Alertmanager itself
// groups, silences and inhibits.
//
// Pure. Its state is not stored: after a restart, an Alertmanager gets all alerts again.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "notify/config.h"
#include "notify/dispatcher.h"
#include "notify/notification.h"

namespace monitor::notify {

class AlertForwarder {
 public:
  // The most alerts in one notification, as in Prometheus.
  static constexpr size_t kMostAlerts = 64;

  // `evaluated_ms`: of the newest update. `repeat` is set in notifications without news.
  std::vector<Notification> due(const Config& config, const std::map<query::Labels, Tracked>& alerts,
                                int64_t evaluated_ms, Moment now);
  void forget() { told_.clear(); }

 private:
  struct Told {
    rules::AlertState state = rules::AlertState::kFiring;
    int64_t fired_at_ms = 0;
    int64_t sent_ms = 0;  // monotonic
  };
  using Target = std::pair<std::string, std::string>;  // receiver and integration

  std::map<Target, std::map<query::Labels, Told>> told_;
};

}  // namespace monitor::notify
