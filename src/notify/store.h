// AlertStore: stores what must survive the process, in an SQLite file in the data folder: alerts, the log of
// notifications, undelivered notifications, silences, and the history of alerts.
//
// Every change is one transaction that is on the disk when the call returns (synchronous = FULL). Several processes may
// open the file at once: one that notifies, and commands that look and set silences.
//
// One thread at a time. The clock must outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "notify/dispatcher.h"
#include "notify/notification.h"
#include "notify/notification_log.h"
#include "notify/receiver_state.h"
#include "notify/silence.h"

namespace monitor::notify {

// The outcome of a notification.
struct Delivery {
  std::string id;
  std::string receiver;
  std::string integration;
  std::string group_key;
  // "sent", "refused", "expired", "queue_full", "superseded", "no_receiver"; empty: on its way
  std::string result;
  std::string answer;  // of the receiver, or why it failed
  int64_t decided_ms = 0;
  int64_t finished_ms = 0;  // 0: on its way
  int64_t attempts = 0;
  int64_t firing = 0;
  int64_t resolved = 0;
  std::vector<std::string> fingerprints;  // of its alerts
};

// A period in which an alert was firing.
struct Episode {
  rules::Alert alert;  // kFiring: it lasts
};

struct SilenceChange {
  int64_t number = 0;
  int64_t time_ms = 0;
  std::string event;  // "silence.created", "silence.changed", "silence.expired"
  std::string id;
  SilenceEditor editor;
  std::string before;  // JSON; empty: there was none
  std::string after;
};

class AlertStore {
 public:
  enum class Open { kCreate, kExisting, kReadOnly };
  // kNotFound with kExisting and kReadOnly: there is no file. kFailedPrecondition: a newer version has written it.
  static Result<std::unique_ptr<AlertStore>> open(const std::string& path, Open mode, const Clock& clock);
  ~AlertStore();
  AlertStore(const AlertStore&) = delete;
  AlertStore& operator=(const AlertStore&) = delete;

  struct Loaded {
    std::vector<Tracked> alerts;
    std::map<LogKey, LogEntry> log;
    std::vector<Notification> outbox;  // in the order of their decisions
  };
  Result<Loaded> load();

  // Changes, decisions and the outcomes of earlier notifications. They are stored together, so that a decision is
  // neither lost nor made twice. After an error, none of them is stored.
  struct Step {
    Changes changes;
    std::vector<Decision> decisions;
    std::vector<Notification> forwarded;  // to Alertmanagers, which have no log
    std::vector<Delivery> finished;
    bool empty() const;
  };
  Status save(const Step& step);
  // The pending alerts, for people.
  Status save_pending(std::span<const rules::Alert> pending);
  // How it is with the receivers, for people.
  Status save_receivers(std::span<const ReceiverState> states);

  // Notes the configuration's file and the URL of the page, for commands.
  Status note_config(const std::string& path, const std::string& external_url);
  Result<std::string> config_path();
  Result<std::string> external_url();

  Result<std::vector<Silence>> silences();
  // Creates a silence if `silence.id` is empty, else changes that one; both only if check_silence() finds no fault.
  // Returns it. kNotFound; kFailedPrecondition: it has expired; kResourceExhausted: there are kMaxSilences.
  Result<Silence> set_silence(Silence silence, const SilenceEditor& editor);
  Result<Silence> expire_silence(const std::string& id, const SilenceEditor& editor);
  // Takes a silence of another instance, with its times, if it is newer than what is here. False: it is not.
  // kInvalidArgument; kResourceExhausted.
  Result<bool> import_silence(const Silence& silence, const SilenceEditor& editor);
  // Who made the last change of the silence that is known; empty: nobody is known.
  Result<SilenceEditor> last_editor(const std::string& id);
  // After `number`, oldest first.
  Result<std::vector<SilenceChange>> silence_changes(int64_t number);
  // Passes the changes that have not been audited yet to `audit`, oldest first. Several processes may call this: each
  // change is audited by one of them, also if it was made while none of them was running. If a process is killed
  // meanwhile, the same changes are passed on again.
  Status audit_silence_changes(const std::function<void(const SilenceChange& change)>& audit);
  // Increases when another connection has changed the file.
  Result<int64_t> data_version();

  // Firing, and resolved in the last half hour.
  Result<std::vector<rules::Alert>> alerts();
  Result<std::vector<rules::Alert>> pending();
  Result<std::vector<ReceiverState>> receivers();
  // Newest first.
  Result<std::vector<Episode>> episodes(int64_t since_ms, size_t most);
  Result<std::vector<Delivery>> deliveries(int64_t since_ms, size_t most);
  // Deletes what has ended before; returns the number of rows.
  Status prune(int64_t before_ms);

  const std::string& path() const;

 private:
  class Impl;
  explicit AlertStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace monitor::notify
