// Dispatcher: decides which receiver gets which notification, and when: grouping, deduplication, repeats, resolved
// alerts, inhibition, silences and time intervals, as in Alertmanager.
//
// - An alert takes the routes that match its labels. In each, it joins the group of the alerts with the same values of
//   `group_by`.
// - The first notification of a group is sent after `group_wait`, or at once if the alert has been firing for that
// long.
//   After that, changes are sent every `group_interval`, and an unchanged group is repeated every `repeat_interval`.
// - A group whose alerts are all resolved before its first notification gets none.
//
// Pure: no clock, no I/O, no thread. take_changes() returns the state that must survive the process, and
// restore() takes it. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "notify/config.h"
#include "notify/notification.h"
#include "notify/notification_log.h"
#include "notify/silence.h"

namespace monitor::notify {

struct Moment {
  int64_t wall_ms = 0;
  int64_t mono_ms = 0;
};

// An alert as the dispatcher knows it.
struct Tracked {
  rules::Alert alert;
  bool settled = false;  // resolved, and every group that must report it has done so

  bool operator==(const Tracked&) const = default;
};

struct Decision {
  LogKey key;
  LogEntry entry;
  std::optional<Notification> notification;  // nullopt: the integration gets no resolved alerts
};

struct Changes {
  std::vector<Tracked> alerts;           // new or changed
  std::vector<query::Labels> forgotten;  // alerts that are no longer needed
  std::vector<LogKey> expired;           // entries of the log that are no longer needed
};

struct Suppression {
  std::vector<std::string> silenced_by;     // ids of silences
  std::vector<query::Labels> inhibited_by;  // at most one for each rule
  bool any() const { return !silenced_by.empty() || !inhibited_by.empty(); }
};

// Finds the firing alerts that inhibit an alert.
class Inhibitor {
 public:
  // Both must outlive the object.
  Inhibitor(std::span<const InhibitRule> rules, const std::vector<const rules::Alert*>& firing);
  std::vector<query::Labels> inhibited_by(const query::Labels& labels) const;

 private:
  using Sources = std::unordered_map<std::string, std::vector<const query::Labels*>>;
  std::span<const InhibitRule> rules_;
  std::vector<Sources> sources_;  // for each rule, by the values of `equal`
};

// All alerts of a group of rules at one evaluation.
struct GroupAlerts {
  std::set<query::Labels> alerts;
  int64_t evaluated_ms = 0;
};

class Dispatcher {
 public:
  explicit Dispatcher(std::shared_ptr<const Config> config) : config_(std::move(config)) {}

  // Takes the state of earlier processes. Their groups wait for `group_wait`, so that rules can report what has
  // changed.
  void restore(std::vector<Tracked> alerts, std::map<LogKey, LogEntry> log, Moment now);
  // The same alerts with another configuration.
  void configure(std::shared_ptr<const Config> config, Moment now);
  void set_silences(std::vector<Silence> silences) { silences_ = std::move(silences); }

  // Some alerts, each with its newest state. Those that are not among them stay as they are.
  void update(std::span<const rules::Alert> alerts, int64_t evaluated_ms, Moment now);
  // Ends the firing alerts of a group of rules that are not among all of its alerts.
  void end_missing(const std::string& group, const GroupAlerts& all, Moment now);
  // Ends the firing alerts of all groups of rules but these. Returns the groups of those that it has ended.
  std::set<std::string> end_other_groups(const std::set<std::string>& groups, int64_t evaluated_ms, Moment now);
  // The notifications that are due, in the order in which they must be sent.
  std::vector<Decision> due(Moment now);
  // The next time at which due() may return something; INT64_MAX: not before the next update.
  int64_t next_due_ms() const;

  // Forgets old entries of the notification log; call it about once an hour.
  void expire_log(int64_t wall_ms);
  // Since the last call. A firing alert of which only the value or the annotations have changed is among them only
  // with `values`.
  Changes take_changes(bool values);

  const std::map<query::Labels, Tracked>& alerts() const { return alerts_; }
  const std::map<query::Labels, rules::Alert>& pending() const { return pending_; }
  const std::map<LogKey, LogEntry>& log() const { return log_; }
  std::span<const Silence> silences() const { return silences_; }
  const Config& config() const { return *config_; }
  size_t groups() const { return groups_.size(); }

 private:
  struct Group {
    const Route* route = nullptr;
    query::Labels labels;
    std::string key;
    std::set<query::Labels> members;
    int64_t next_ms = 0;  // monotonic
    bool told = false;    // due() has returned it before
  };
  using GroupId = std::pair<const Route*, query::Labels>;

  void take(const rules::Alert& given, int64_t evaluated_ms, Moment now);
  rules::Alert merged(const rules::Alert& given);
  using IsOver = std::function<bool(const query::Labels& labels, const rules::Alert& alert)>;
  std::set<std::string> end_if(const IsOver& is_over, int64_t evaluated_ms, Moment now);
  void join_groups(const rules::Alert& alert, Moment now, bool restored);
  void flush(Group& group, const Inhibitor& inhibitor, Moment now, std::vector<Decision>& decisions);
  void decide(const Group& group, const Integration& integration, const std::vector<rules::Alert>& alerts, Moment now,
              std::vector<Decision>& decisions);
  void settle(Group& group);
  void forget_old(int64_t evaluated_ms);
  bool is_muted(const Route& route, int64_t wall_ms) const;
  bool in_a_group(const query::Labels& labels) const;

  std::shared_ptr<const Config> config_;
  std::vector<Silence> silences_;
  std::map<query::Labels, Tracked> alerts_;  // firing and resolved
  // Of alerts that several groups of rules report, by group.
  std::map<query::Labels, std::map<std::string, rules::Alert>> shared_;
  std::map<query::Labels, rules::Alert> pending_;
  std::map<GroupId, Group> groups_;
  std::map<LogKey, LogEntry> log_;
  std::set<query::Labels> changed_;
  std::set<query::Labels> new_values_;
  std::vector<query::Labels> forgotten_;
  std::vector<LogKey> expired_;
  int64_t evaluated_ms_ = 0;  // of the newest update
};

// True if a notification is necessary after the log's entry. `repeat` is set if it has no news.
struct Need {
  bool notify = false;
  bool repeat = false;
};
Need need_of(const LogEntry* entry, std::span<const uint64_t> firing, std::span<const uint64_t> resolved,
             bool send_resolved, int64_t repeat_interval_ms, int64_t now_ms);

}  // namespace monitor::notify
