// ConfigEngine: turns documents into running settings. It watches the layers of one agent, merges and validates them
// after every change, and passes valid settings to an Applier. A rejected change is reported, and leaves the running
// settings unchanged. Overrides end on time, even while the source is lost. The engine saves the last applied
// configuration, so that an agent can start without a source.
//
// Thread contract: the loop's thread. All constructor arguments must outlive it.
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

// Applies settings, all or none.
class Applier {
 public:
  virtual ~Applier() = default;
  // Returns a problem if nothing was changed. A pending problem means "not decided yet"; the applier then calls
  // reevaluate() once it is. Batches carry `revision` from now on.
  virtual std::optional<Problem> apply(const Settings& settings, int64_t revision) = 0;
};

class ConfigEngine final : public ConfigListener {
 public:
  struct State {
    int64_t desired = 0;                           // newest revision from the source
    int64_t applied = 0;                           // everything up to this revision is applied
    int64_t revision = 0;                          // of the newest applied document
    std::string mark;                              // of the applied documents (mark_of)
    int64_t last_failed = 0;                       // 0: none
    std::string error;                             // of the newest revision; empty if it is applied
    std::string refused;                           // contents of the documents that failed last (contents_mark_of)
    std::vector<std::string> refused_groups = {};  // groups of which those documents are
    bool deleted = false;                          // no layer is left; the last good settings stay applied
    uint64_t reloads = 0;
    uint64_t failures = 0;
    std::vector<std::string> groups;     // applied groups, in order
    std::vector<std::string> overrides;  // applied: agents/<id>/<name>, groups/<group>/<name>
    std::string hash;                    // of the applied merged document
  };

  // `last_good` may be nullptr.
  ConfigEngine(Timers& timers, AgentIdentity identity, ConfigSource& source, const PluginCatalog& plugins,
               Applier& applier, LastGood* last_good);
  ~ConfigEngine() override;
  ConfigEngine(const ConfigEngine&) = delete;
  ConfigEngine& operator=(const ConfigEngine&) = delete;

  // `call` is called after every change of state().
  void set_on_change(std::function<void()> call) { on_change_ = std::move(call); }

  // Starts to watch. If the source answers at once, settings are applied when it returns.
  void start();
  // If nothing is applied because the source has not answered, applies the last good settings, or else the defaults.
  void start_without_source(const Error& reason);

  const State& state() const { return state_; }
  // The applied settings.
  const Settings& settings() const { return settings_; }
  bool running() const { return running_; }
  // Evaluates the last documents again. Call when an input outside the layers (a plugin) has changed, or when a pending
  // problem is decided.
  void reevaluate();

  void on_keys(const KeySet& keys) override;
  void on_source_lost(const Error& reason) override;

 private:
  bool watch_groups();
  void evaluate();
  // Applies the settings of these keys. Returns false, and fills `problems`, if nothing was changed.
  bool put_in_force(const KeySet& keys, int64_t revision, std::vector<Problem>& problems);
  bool apply(const Settings& settings, int64_t revision, std::vector<Problem>& problems);
  std::string hidden_key() const;
  void note_documents(const KeySet& keys);
  void took_effect(const LayerSet& set, const KeySet& keys, int64_t revision);
  bool keep_deleted();
  void refuse(const std::vector<Problem>& problems);
  void fall_back(const std::string& why);
  void schedule_expiry();
  void on_expiry();
  void log_overrides(const std::vector<std::string>& now) const;
  void changed() const;
  // Time of the clock that ends overrides.
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
  bool heard_news_ = false;  // there are changes that are not evaluated yet
  KeySet basis_;             // the keys that produced the applied settings
  State state_;
  Settings settings_;
  bool running_ = false;
  bool documented_ = false;  // the applied settings come from documents, not from the defaults alone
  bool source_lost_ = false;
  bool expiry_pending_ = false;  // an override has ended, but the settings below it are not ready yet
  std::string no_source_;        // why the engine started without a source
  int64_t next_expiry_ns_ = LayerSet::kNever;
  Timers::TimerId expiry_timer_ = 0;
};

}  // namespace monitor::config
