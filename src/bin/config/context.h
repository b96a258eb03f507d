// The context of monitor-config's subcommands: the store, and the agent or group that a command refers to.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>

#include "base/event_loop.h"
#include "bin/common/cli.h"
#include "config/edit.h"
#include "config/fleet.h"
#include "config/store.h"

namespace monitor {

// In files, a status older than this means that the agent is gone: agents write it every 10 s.
inline constexpr int64_t kFreshFor = 30 * kNanosPerSecond;

struct ConfigContext {
  const Cli& cli;
  config::ConfigStore& store;
  EventLoop& loop;
  bool files = false;  // false: etcd
  std::string agent_id;
  std::string group;
  bool defaults = false;         // --defaults
  config::ChangeNote note = {};  // who changes documents; commands set the time

  std::optional<int64_t> fresh_ns() const { return files ? std::optional(kFreshFor) : std::nullopt; }
  int64_t wall_ns() const { return loop.clock().wall_ns(); }
  Result<config::StoredKeys> all() const { return store.list(std::string(config::kKeyRoot)); }
};

// Prints the error and returns its exit status; 78 for an invalid document.
int config_failure(const Error& error);

// Prints warnings about a written document. Looks up plugins that are not among `others` in the store, if it can be
// read.
void print_warnings(const ConfigContext& context, const std::string& text, config::Edited what,
                    const config::PluginCatalog& others);

// JSON on one line, safe for terminals: nlohmann does not escape DEL, C1 and bidirectional marks.
std::string json_line(const nlohmann::ordered_json& json);

// Runs the loop for `ns`.
void wait_on(EventLoop& loop, int64_t ns);

}  // namespace monitor
