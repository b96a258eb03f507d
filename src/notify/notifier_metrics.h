// The metrics of a notifier. The registry must outlive them.
#pragma once

#include "telemetry/registry.h"

namespace monitor::notify {

struct NotifierMetrics {
  explicit NotifierMetrics(telemetry::Registry& r)
      : firing(r.gauge("monitor_notify_alerts", "Alerts, by state.", {{"state", "firing"}})),
        pending(r.gauge("monitor_notify_alerts", "", {{"state", "pending"}})),
        groups(r.gauge("monitor_notify_groups", "Groups of alerts.")),
        silences(r.gauge("monitor_notify_silences", "Silences that are active now.")),
        store_failing(r.gauge("monitor_notify_store_failing",
                              "1 while alerts and notifications cannot be stored; they are sent all the same.")),
        shared_failing(
            r.gauge("monitor_notify_shared_failing",
                    "1 while the log of notifications cannot be shared with other instances; they are sent.")),
        config_ok(r.gauge("monitor_notify_config_ok", "1 if the configuration's file is the one in use.")),
        no_receiver(r.counter("monitor_notify_dropped_total", "Notifications that were given up, by reason.",
                              {{"receiver", ""}, {"integration", ""}, {"reason", "no_receiver"}})) {}
  // Resets the gauges, because another instance may notify from now on.
  ~NotifierMetrics() {
    for (telemetry::Gauge* const one : {&firing, &pending, &groups, &silences, &store_failing, &shared_failing}) {
      one->set(0);
    }
  }
  NotifierMetrics(const NotifierMetrics&) = delete;
  NotifierMetrics& operator=(const NotifierMetrics&) = delete;

  telemetry::Gauge& firing;
  telemetry::Gauge& pending;
  telemetry::Gauge& groups;
  telemetry::Gauge& silences;
  telemetry::Gauge& store_failing;
  telemetry::Gauge& shared_failing;
  telemetry::Gauge& config_ok;
  telemetry::Counter& no_receiver;
};

}  // namespace monitor::notify
