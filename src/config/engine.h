// ConfigEngine: from documents to what is in force. It watches the layers of one agent, merges and validates them at
// every change, and hands valid settings to an Applier; what is refused anywhere leaves the running settings alone and
// is reported. The last settings that were applied are kept on disk, for a start without a source.
//
// Everything on the loop's thread. Source, applier and disk must outlive it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/disk.h"
#include "config/source.h"
#include "config/validate.h"

namespace monitor::config {

// Puts settings into force, whole or not at all.
class Applier {
 public:
  virtual ~Applier() = default;
  // A problem: nothing was changed. The revision is what batches carry from now on.
  virtual std::optional<Problem> apply(const Settings& settings, int64_t revision) = 0;
};

struct EngineOptions {
  std::string agent_id;
  std::vector<std::string> groups;  // lowest first
  std::string own_key;              // empty: agent_key(agent_id)
  std::string last_good_file;       // empty: none is kept
};

class ConfigEngine final : public ConfigListener {
 public:
  struct State {
    int64_t desired = 0;      // revision that was heard last
    int64_t applied = 0;      // revision up to which everything is in force
    int64_t last_failed = 0;  // 0: none
    std::string error;        // of the newest revision; empty when it is in force
    bool deleted = false;     // no layer is left: the last good settings stay
    uint64_t reloads = 0;
    uint64_t failures = 0;
  };

  ConfigEngine(EngineOptions options, ConfigSource& source, const PluginCatalog& plugins, Applier& applier, Disk& disk);

  // Begins to watch. With a source that answers at once, settings are in force when it returns.
  void start();
  // If nothing is in force yet (the source has not answered): the last good settings, else the defaults.
  void start_without_source(const Error& reason);

  const State& state() const { return state_; }
  // What is in force.
  const Settings& settings() const { return settings_; }
  bool running() const { return running_; }
  // Evaluates what was heard last once more: an input that is no layer (a plugin) has changed.
  void reevaluate();

  void on_keys(const KeySet& keys) override;
  void on_source_lost(const Error& reason) override;

 private:
  std::vector<std::string> layer_keys() const;
  Result<std::vector<Layer>> parse_layers(std::vector<Problem>& problems) const;
  void evaluate();
  void apply_layers(const std::vector<Layer>& layers);
  void refuse(const std::vector<Problem>& problems);
  bool put_in_force(const Settings& settings, int64_t revision, std::vector<Problem>& problems);
  void fall_back(const std::string& why);
  std::optional<Settings> load_last_good() const;
  void save_last_good(const std::vector<Layer>& layers);
  std::string source_of(const std::vector<Layer>& layers) const;

  EngineOptions options_;
  ConfigSource& source_;
  const PluginCatalog& plugins_;
  Applier& applier_;
  Disk& disk_;
  KeySet heard_;
  State state_;
  Settings settings_;
  bool running_ = false;
  bool documented_ = false;  // what is in force comes from documents, not from the defaults alone
  bool source_lost_ = false;
};

}  // namespace monitor::config
