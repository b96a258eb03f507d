// AlertNotifications: runs the notifier of `serve` while this instance is the one that notifies. A notifier that could
// not be started is tried again.
//
// All methods on the thread of the rules.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "base/clock.h"
#include "notify/notifier.h"
#include "rules/alert.h"
#include "telemetry/registry.h"

namespace monitor {

class AlertNotifications final : public rules::AlertSink {
 public:
  // The clock and the registry must outlive it. `share` creates `options.shared` for each start; empty: there is only
  // one instance.
  using Share = std::function<std::shared_ptr<notify::SharedLog>()>;
  AlertNotifications(notify::NotifierOptions options, Share share, const Clock& clock, telemetry::Registry& registry);

  // Call before the first set_active().
  void set_external_url(const std::string& url) { options_.external_url = url; }
  // Sets whether this instance is the one that notifies.
  void set_active(bool active);
  void update(std::span<const rules::Alert> alerts, int64_t evaluated_at_ms) override;
  void update_group(const std::string& group, std::span<const rules::Alert> alerts, int64_t evaluated_at_ms) override;
  void update_groups(const std::set<std::string>& groups, int64_t evaluated_at_ms) override;

 private:
  // Starts the notifier if it does not run yet. False: there is no notifier now.
  bool ready();
  void start();
  void stop();

  notify::NotifierOptions options_;
  const Share share_;
  const Clock& clock_;
  telemetry::Registry& registry_;
  telemetry::Gauge& active_gauge_;
  bool active_ = false;
  int64_t not_before_ns_ = 0;  // monotonic
  std::string trouble_;        // as last logged
  std::unique_ptr<notify::Notifier> notifier_;
};

}  // namespace monitor
