// Fleet: the latest state of every agent, built from batches as they arrive: values, health, and the recent past of its
// main figures. Newer batches replace the state from older ones; late batches replace nothing.
//
// Not thread-safe. Bounded: agents and series beyond the limits are counted and omitted. If all places are taken, the
// agents that have been gone for longest make way for new ones.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "metriclog/log.h"
#include "metrics/batch.h"
#include "views/fleet/clock_skew.h"
#include "views/fleet/past.h"
#include "views/fleet/server_watch.h"

namespace monitor::analysis {

enum class Health {
  kAlive,
  kLate,      // its data arrives late, or is overdue
  kSpooling,  // it is alive, but its data waits at the agent
  kSilent,    // it is alive, but configured to collect nothing
  kStopped,   // it stopped in order, and all its data is in the log
  kUnknown,   // no server writes to the log, so no data could arrive even if the agent is alive
  kGone,
};
inline constexpr size_t kHealths = 7;
std::string_view to_string(Health health);

// The index of the main figure (past.h) that this series represents, if any.
std::optional<size_t> figure_of(const metrics::Series& series);

struct LiveValue {
  metrics::Series series;
  double value = 0;
  int64_t time_ns = 0;
  uint8_t figures = 0;  // a bit for each main figure that it may be
};

struct LiveAgent {
  std::string name;
  std::string host;
  std::string version;
  std::string incarnation;              // 16 bytes
  std::vector<std::string> older_runs;  // earlier runs that it has named, the newest last
  metrics::Labels labels;               // from its configuration; all its series carry them
  std::string other_host;               // another host that uses the same id at the same time
  uint64_t sequence = 0;
  uint64_t waiting = 0;  // batches that were not acknowledged when the newest one was sent
  uint64_t revision = 0;
  int64_t first_ns = 0;     // by the log's time
  int64_t seen_ns = 0;      // the last record, by the log's time
  int64_t run_seen_ns = 0;  // the last record of this incarnation
  int64_t tick_ns = 0;      // the newest tick, by the agent's clock corrected by clock_error_ns
  int64_t interval_ns = 0;  // between the last ticks; 0: unknown
  int64_t clock_error_ns = 0;
  ClockSkew skew;
  bool late = false;          // its newest batch arrived late
  bool stopped = false;       // its newest batch was the last one of its run
  bool plugins_drop = false;  // since its newest tick, plugins have dropped everything that it collected
  uint64_t ticks_due = 0;     // since it started, as the next two
  uint64_t ticks_missed = 0;
  uint64_t points_made = 0;
  uint64_t plugin_points = 0;  // dropped by plugins so far
  std::vector<LiveValue> values;
  std::unordered_map<std::string, size_t> places;  // index in `values`, by series
  std::vector<uint32_t> list;  // index in `values` of each series of its last batch, as a guess for the next one
  Past past;
  uint64_t change = 0;  // rises with every change, across all agents

  Figures figures() const;
};

struct FleetLimits {
  size_t agents = 20'000;
  size_t series = 200'000;
  size_t series_per_agent = 5'000;
  size_t fair_series = 64;  // every agent may have this many, however many others have
};

class Fleet {
 public:
  explicit Fleet(const FleetLimits& limits = {}) : limits_(limits) {}

  // Returns true if the batch is newer than the known state.
  bool apply(const metriclog::Record& record, const metrics::Batch& batch);
  // Adds an agent that is known from elsewhere, before any of its batches arrives. `seen_ns` 0: none of its data has
  // ever reached the log.
  void add_known(const std::string& name, const std::string& host, const std::string& version, int64_t seen_ns);
  // Adds past figures of a known agent from a history, in ascending order of time. `width_ns`: the figures are averages
  // over this much time.
  void remember(const std::string& name, int64_t time_ns, const Figures& figures, int64_t width_ns);
  // Forgets values that are older, and agents that were last seen before.
  void forget(int64_t values_before_ns, int64_t agents_before_ns);

  // Removes an agent that was not seen after `seen_until_ns`, by the log's time.
  void drop(std::string_view name, int64_t seen_until_ns);

  const std::map<std::string, LiveAgent, std::less<>>& agents() const { return agents_; }
  const LiveAgent* find(std::string_view name) const;
  uint64_t change() const { return change_; }
  uint64_t dropped_points() const { return dropped_; }
  size_t series() const { return series_; }

 private:
  LiveAgent* find_or_add(const std::string& name, int64_t now_ns);
  void make_room(int64_t now_ns);
  void take_labels(LiveAgent& agent, const metrics::Batch& batch);
  void note_counters(LiveAgent& agent, const metrics::Batch& batch);
  LiveValue* value_of(LiveAgent& agent, const metrics::Series& series, size_t number);
  void take_frame(LiveAgent& agent, const metrics::Batch& batch, const metrics::Frame& frame, int64_t time_ns);

  FleetLimits limits_;
  std::map<std::string, LiveAgent, std::less<>> agents_;
  uint64_t change_ = 0;
  uint64_t dropped_ = 0;
  size_t series_ = 0;
  int64_t no_room_until_ns_ = 0;  // before this time, no agent has been gone for long enough
};

// What the agent's status in the configuration shows: nothing, alive, stopped in order, or gone.
enum class Presence { kUnknown, kAlive, kStopped, kGone };

struct Verdict {
  Health health = Health::kGone;
  std::string why;  // for people; empty if it is alive
};
Verdict judge(const LiveAgent& agent, int64_t now_ns, Presence presence, const Servers& servers = {});

}  // namespace monitor::analysis
