// What the subcommands of monitor-config have in common: where the documents are, and whom a command is about.
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

// A status in files that is older than this is that of an agent which is gone: it is written every 10 s.
inline constexpr int64_t kFreshFor = 30 * kNanosPerSecond;

struct ConfigContext {
  const Cli& cli;
  config::ConfigStore& store;
  EventLoop& loop;
  bool files = false;  // else etcd
  std::string agent_id;
  std::string group;

  std::optional<int64_t> fresh_ns() const { return files ? std::optional(kFreshFor) : std::nullopt; }
  int64_t wall_ns() const { return loop.clock().wall_ns(); }
  Result<config::StoredKeys> all() const { return store.list(std::string(config::kKeyRoot)); }
};

// Prints the error and returns its exit status; a document that is not valid ends with 78.
int config_failure(const Error& error);

// Prints what is allowed in a document that was written, but unwise. Plugins that are not among `others` are looked for
// in what is stored, where that may be read.
void print_warnings(const ConfigContext& context, const std::string& text, config::Edited what,
                    const config::PluginCatalog& others);

// JSON on one line, with nothing in it that acts on a terminal: nlohmann's leaves DEL, C1 and marks that reorder text
// as they are.
std::string json_line(const nlohmann::ordered_json& json);

// Lets the loop run for so long.
void wait_on(EventLoop& loop, int64_t ns);

}  // namespace monitor
