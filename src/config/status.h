// Status and inventory of an agent, as structs and JSON. The status exists while the agent is alive; the inventory
// entry stays. Parsing accepts foreign input: missing or malformed fields get defaults, and only a text that is not a
// JSON object is an error.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/engine.h"
#include "config/keys.h"

namespace monitor::config {

// The state of a plugin: maintained by the chain, published in the agent's status, shown by readers.
struct PluginStatus {
  std::string name;
  std::string state;       // running, starting, waiting, quarantined
  uint64_t ticks = 0;      // ticks that it was given
  uint64_t dropped = 0;    // ticks; for a shadow, the ticks that it would have dropped (same for `changed`)
  uint64_t failed = 0;     // ticks lost
  std::string kind = {};   // built-in, native, script
  std::string error = {};  // why it failed last; empty: it never failed
  int64_t error_ns = 0;    // when it failed last, Unix time; 0: never, or not known
  // Of its code: as a native plugin names it, a digest of a script's text; empty: that of the agent.
  std::string version = {};
  bool shadow = false;
  uint64_t changed = 0;  // ticks
  uint64_t skipped = 0;  // ticks that skipped it
  uint64_t restarts = 0;
  uint64_t replaced = 0;  // how often it was replaced: another version, or another configuration
  double p50 = 0;         // seconds per tick
  double p99 = 0;
  // Of a native plugin's process, when it was last measured.
  uint64_t threads = 0;  // that the plugin started
  double cpu = 0;        // processors in use, averaged over some seconds
  uint64_t memory = 0;   // resident bytes
  uint64_t points_dropped = 0;
  // Not published.
  int64_t last_duration_ns = 0;

  bool operator==(const PluginStatus&) const = default;
};

// A mount that does not respond.
struct MountStatus {
  std::string mount;
  std::string type;
  std::string source;
  int64_t since_ns = 0;

  bool operator==(const MountStatus&) const = default;
};

struct AgentStatus {
  std::string version;
  std::string host;
  int64_t since_ns = 0;    // start of the process; Unix times
  int64_t updated_ns = 0;  // when this status was written
  int64_t desired = 0;     // revisions, as in ConfigEngine::State
  int64_t applied = 0;
  int64_t last_failed = 0;
  std::string error;  // error of the newest revision; empty if it is applied
  bool deleted = false;
  std::string hash;  // hash of the applied merged document
  std::vector<std::string> groups;
  std::vector<std::string> overrides;
  std::vector<PluginStatus> plugins;
  std::vector<MountStatus> mounts = {};  // mounts that do not answer
  bool series_full = false;              // points of new series are dropped, because the series table is full
  std::string warning = {};              // any other problem: another run under this agent id
  int64_t revision = -1;  // revision of the newest applied document; -1: an older agent, which does not report it
  std::string mark = {};  // mark of the applied documents (mark_of() in source.h)
  // What `error` is about: the contents of the documents (contents_mark_of()), and the groups of which they are. Empty
  // if unknown, as from an older agent.
  std::string refused = {};
  std::vector<std::string> refused_groups = {};
  // When the certificate is valid with which it connects to servers; 0: it has none.
  int64_t certificate_from_ns = 0;
  int64_t certificate_expires_ns = 0;
  double cpu_seconds = 0;  // CPU time of its process since it started; 0: an older agent, which does not report it
};

// Copies the fields that the engine knows.
void take_state(AgentStatus& status, const ConfigEngine::State& state);
std::string to_json(const AgentStatus& status);
Result<AgentStatus> parse_status(std::string_view text);

struct AgentInventory {
  std::string host;
  std::vector<std::string> groups;
  std::string version;
  int64_t last_seen_ns = 0;
  std::vector<std::string> plugins = {};  // in its plugin folder, by name
  int64_t stopped_ns = 0;                 // when it stopped in order, with nothing unsent; 0: it did not
  int64_t forgotten_ns = 0;               // when an operator removed it; 0: never. Its next report clears this
};
std::string to_json(const AgentInventory& inventory);
Result<AgentInventory> parse_inventory(std::string_view text);

// Publishes status and inventory to etcd or to files. Implementations retry, so calls report no failure. All calls on
// the loop's thread.
class StatusPublisher {
 public:
  virtual ~StatusPublisher() = default;
  virtual void put_status(std::string json) = 0;
  virtual void put_inventory(std::string json) = 0;
  // Publishes the last inventory, deletes the status, and then calls `done` from the loop.
  virtual void stop(std::string inventory, std::function<void()> done) = 0;
};

}  // namespace monitor::config
