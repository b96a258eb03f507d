// Notifier: sends notifications about the alerts of the rule engine. A Dispatcher decides, couriers deliver.
//
// A decision to notify is stored, with the notification, before the notification is sent; the result is stored
// afterwards. If the process is killed in between, the next one sends the same notification again, with the same id.
//
// update() only puts alerts into a mailbox. A thread of the object decides and stores; each integration has a thread of
// its own. All methods may be called on any thread. The clock and the registry must outlive the object.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/lock_file.h"
#include "notify/alert_forwarder.h"
#include "notify/config_watch.h"
#include "notify/courier_pool.h"
#include "notify/dispatcher.h"
#include "notify/notifier_metrics.h"
#include "notify/recorder.h"
#include "notify/senders.h"
#include "notify/sharing.h"
#include "notify/silence_watch.h"
#include "notify/store.h"
#include "rules/alert.h"
#include "telemetry/registry.h"

namespace monitor::notify {

struct NotifierOptions {
  std::string config_path;        // empty: no notifications; alerts, their history and silences are kept anyway
  std::string store_path;         // a lock file is beside it
  std::string external_url = {};  // of this program's page, without a slash at the end; empty: unknown
  SenderOptions senders = {};
  // Shared with other instances, of which one at a time notifies; nullptr: there are none.
  std::shared_ptr<SharedLog> shared = nullptr;
  QueueLimits limits = {};
  int64_t look_ms = 1000;  // between looks at the configuration and the silences
  int64_t keep_history_ms = int64_t{30} * 24 * 3'600'000;
  // For tests: instead of make_sender(); and what is called at each step ("taken", "decided", "saved", "finished"), and
  // after each look at the configuration and the silences ("looked"), and at the end of its work ("replaced").
  SenderFactory make = {};
  std::function<void(std::string_view step)> at_step = {};
};

class Notifier final : public rules::AlertSink {
 public:
  // Errors: the configuration has faults; the store cannot be used; kAborted: another process notifies from it.
  static Result<std::unique_ptr<Notifier>> start(const NotifierOptions& options, const Clock& clock,
                                                 telemetry::Registry& registry);
  ~Notifier() override;
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  void update(std::span<const rules::Alert> alerts, int64_t evaluated_at_ms) override;
  void update_group(const std::string& group, std::span<const rules::Alert> alerts, int64_t evaluated_at_ms) override;
  void update_groups(const std::set<std::string>& groups, int64_t evaluated_at_ms) override;
  std::vector<ReceiverState> receivers() const { return couriers_.receivers(); }
  // Why the configuration's file is not in use; empty: it is in use.
  std::string config_trouble() const { return config_watch_.trouble(); }
  // Why another instance notifies instead of this one, which sends nothing any more. Empty: this one notifies.
  std::string replaced() const;

 private:
  // The updates since the last step.
  struct Mail {
    std::unordered_map<query::Labels, rules::Alert, query::LabelsHash> alerts;
    std::map<std::string, GroupAlerts> groups;  // all alerts of a group, as of its newest evaluation
    int64_t evaluated_ms = 0;
    std::optional<std::set<std::string>> all_groups;
    int64_t all_groups_ms = 0;
    std::vector<Ended> ended;
    bool empty() const { return alerts.empty() && evaluated_ms == 0 && !all_groups && ended.empty(); }
  };

  Notifier(const NotifierOptions& options, const Clock& clock, telemetry::Registry& registry, LockFile lock,
           std::unique_ptr<AlertStore> store);
  Status begin();
  bool take_over(AlertStore::Loaded& kept);
  void run();
  void step(Mail mail);
  void take(Mail& mail, Moment moment);
  void end_removed(const std::set<std::string>& groups, int64_t evaluated_ms, Moment moment);
  void look();
  void prune(Moment moment);
  void save(AlertStore::Step step);
  void send(const std::shared_ptr<const Notification>& notification);
  // False: another instance notifies.
  bool share(const AlertStore::Step& step, int64_t mono_ms);
  void note_counts();
  Moment now() const;
  void at_step(std::string_view name) const;

  const NotifierOptions options_;
  const Clock& clock_;
  const std::unique_ptr<NotifierMetrics> metrics_;
  const LockFile lock_;

  mutable std::mutex mutex_;  // guards the mailbox, stopping_ and replaced_
  std::condition_variable changed_;
  Mail mail_;
  bool stopping_ = false;
  std::string replaced_;

  // Of the notifier's thread, after the start.
  const std::unique_ptr<AlertStore> store_;
  ConfigWatch config_watch_;
  std::shared_ptr<const Config> config_;
  SilenceWatch silence_watch_;
  Dispatcher dispatcher_{nullptr};
  AlertForwarder forwarder_;
  Recorder recorder_;
  Sharing sharing_;
  int64_t values_saved_ms_ = 0;
  int64_t looked_ms_ = 0;
  int64_t pruned_ms_ = 0;
  int64_t evaluated_ms_ = 0;
  CourierPool couriers_;
  std::thread thread_;
};

}  // namespace monitor::notify
