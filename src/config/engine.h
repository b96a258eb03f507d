// ConfigEngine: from documents to what is in force. It watches the layers of one agent, merges and validates them at
// every change, and hands valid settings to an Applier; what is refused anywhere leaves the running settings alone and
// is reported. Overrides end at their time, whatever the source says. What was applied last is kept, for a start
// without a source.
//
// Everything on the loop's thread. Timers, source, applier and what is kept must outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "base/trusted_clock.h"
#include "config/last_good.h"
#include "config/layers.h"
#include "config/source.h"
#include "config/validate.h"

namespace monitor::config {

// Puts settings into force, whole or not at all.
class Applier {
 public:
  virtual ~Applier() = default;
  // A problem: nothing was changed; one that is pending: it cannot be said yet, reevaluate() is to be called when it
  // can. The revision is what batches carry from now on.
  virtual std::optional<Problem> apply(const Settings& settings, int64_t revision) = 0;
};

class ConfigEngine final : public ConfigListener {
 public:
  struct State {
    int64_t desired = 0;      // revision that was heard last
    int64_t applied = 0;      // revision up to which everything is in force
    int64_t revision = 0;     // of the newest document in force
    std::string mark;         // of the documents in force (mark_of)
    int64_t last_failed = 0;  // 0: none
    std::string error;        // of the newest revision; empty when it is in force
    bool deleted = false;     // no layer is left: the last good settings stay
    uint64_t reloads = 0;
    uint64_t failures = 0;
    std::vector<std::string> groups;     // in force, in order
    std::vector<std::string> overrides;  // in force: agents/<id>/<name>, groups/<group>/<name>
    std::string hash;                    // of the merged document in force
  };

  // Without `last_good` none is kept.
  ConfigEngine(Timers& timers, AgentIdentity identity, ConfigSource& source, const PluginCatalog& plugins,
               Applier& applier, LastGood* last_good);
  ~ConfigEngine() override;
  ConfigEngine(const ConfigEngine&) = delete;
  ConfigEngine& operator=(const ConfigEngine&) = delete;

  // Called whenever state() has changed.
  void set_on_change(std::function<void()> call) { on_change_ = std::move(call); }

  // Begins to watch. With a source that answers at once, settings are in force when it returns.
  void start();
  // If nothing is in force yet (the source has not answered): the last good settings, else the defaults.
  void start_without_source(const Error& reason);

  const State& state() const { return state_; }
  // What is in force.
  const Settings& settings() const { return settings_; }
  bool running() const { return running_; }
  // Evaluates what was heard last once more: an input that is no layer (a plugin) has changed, or what was pending is
  // ready.
  void reevaluate();

  void on_keys(const KeySet& keys) override;
  void on_source_lost(const Error& reason) override;

 private:
  bool watch_groups();
  void evaluate();
  // Whether what these keys say is in force now; else the problems are filled, and nothing has changed.
  bool put_in_force(const KeySet& keys, int64_t revision, std::vector<Problem>& problems);
  bool apply(const Settings& settings, int64_t revision, std::vector<Problem>& problems);
  void note_documents(const KeySet& keys);
  void took_effect(const LayerSet& set, const KeySet& keys, int64_t revision);
  bool keep_deleted();
  void refuse(const std::vector<Problem>& problems);
  void fall_back(const std::string& why);
  void schedule_expiry();
  void on_expiry();
  void log_overrides(const std::vector<std::string>& now) const;
  void changed() const;
  // By which overrides end.
  int64_t wall_ns() { return trusted_.now_ns(); }

  Timers& timers_;
  TrustedClock trusted_;
  AgentIdentity identity_;
  ConfigSource& source_;
  const PluginCatalog& plugins_;
  Applier& applier_;
  LastGood* last_good_;
  std::function<void()> on_change_;
  WatchSet watched_;
  bool heard_any_ = false;
  KeySet heard_;
  bool heard_news_ = false;  // not yet evaluated
  KeySet basis_;             // what the settings in force were made of
  State state_;
  Settings settings_;
  bool running_ = false;
  bool documented_ = false;  // what is in force comes from documents, not from the defaults alone
  bool source_lost_ = false;
  bool expiry_pending_ = false;  // an override has ended, and what is below it is not ready yet
  std::string no_source_;        // why it had to be started without
  int64_t next_expiry_ns_ = LayerSet::kNever;
  Timers::TimerId expiry_timer_ = 0;
};

}  // namespace monitor::config
