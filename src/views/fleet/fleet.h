// Fleet: the latest of every agent, from the batches as they come: values, how the agent fares, and a short past of its
// main figures. What an agent says later replaces what it said before; what is late replaces nothing.
//
// Not thread-safe. Bounded: agents and series beyond the limits are counted and left out. Where all places are taken,
// the agents that have been gone for longest make way for new ones.
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
#include "views/fleet/past.h"
#include "views/fleet/server_watch.h"

namespace monitor::analysis {

enum class Health {
  kAlive,
  kLate,      // what comes is behind its time, or nothing came when something was due
  kSpooling,  // it lives, and what it has to say waits at the agent
  kSilent,    // it lives, and is told to say nothing
  kStopped,   // it ended in order, and everything it made is in the log
  kUnknown,   // no server writes the log: nothing would come of it, whether it lives or not
  kGone,
};
inline constexpr size_t kHealths = 7;
std::string_view to_string(Health health);

// Which of them the series is.
std::optional<size_t> figure_of(const metrics::Series& series);

struct LiveValue {
  metrics::Series series;
  double value = 0;
  int64_t time_ns = 0;
};

struct LiveAgent {
  std::string name;
  std::string host;
  std::string version;
  std::string incarnation;              // 16 bytes
  std::vector<std::string> older_runs;  // that it has named, the newest last
  metrics::Labels labels;               // of its configuration; its series carry them
  std::string other_host;               // another host that uses the same name at the same time
  uint64_t sequence = 0;
  uint64_t waiting = 0;  // batches that it made and were not acknowledged then
  uint64_t revision = 0;
  int64_t first_ns = 0;     // by the log's time
  int64_t seen_ns = 0;      // the last record, by the log's time
  int64_t run_seen_ns = 0;  // the last one of this incarnation
  int64_t tick_ns = 0;      // the newest tick, by the agent's own, or moved by clock_error_ns
  int64_t interval_ns = 0;  // between the last ticks; 0: not known
  int64_t clock_error_ns = 0;
  bool late = false;          // its newest batch was
  bool stopped = false;       // its newest batch was the last one of its run
  bool plugins_drop = false;  // since its newest tick, all that it made was dropped by plugins
  uint64_t ticks_due = 0;
  uint64_t plugin_points = 0;  // dropped by plugins so far
  std::vector<LiveValue> values;
  std::unordered_map<std::string, size_t> places;  // of series in `values`
  Past past;
  uint64_t change = 0;  // rises with every change, over all agents

  Figures figures() const;
};

struct FleetLimits {
  size_t agents = 20'000;
  size_t series = 200'000;
  size_t series_per_agent = 5'000;
  size_t fair_series = 64;  // which an agent may have however many the others have
};

class Fleet {
 public:
  explicit Fleet(const FleetLimits& limits = {}) : limits_(limits) {}

  // True: it says something newer than what was known.
  bool apply(const metriclog::Record& record, const metrics::Batch& batch);
  // Known from before or from elsewhere, nothing heard of it yet. `seen_ns` 0: nothing of it ever reached the log.
  void add_known(const std::string& name, const std::string& host, const std::string& version, int64_t seen_ns);
  // The short past of one that is known, as a history has it: times ascend; `width_ns`: the figures are averages of so
  // much time.
  void remember(const std::string& name, int64_t time_ns, const Figures& figures, int64_t width_ns);
  // Values that are older than this are no longer the latest of anything; agents not heard of since are forgotten.
  void forget(int64_t values_before_ns, int64_t agents_before_ns);

  // Removes an agent of which nothing is newer than `seen_until_ns`, by the log's time.
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
  void take_frame(LiveAgent& agent, const metrics::Batch& batch, const metrics::Frame& frame, int64_t time_ns);

  FleetLimits limits_;
  std::map<std::string, LiveAgent, std::less<>> agents_;
  uint64_t change_ = 0;
  uint64_t dropped_ = 0;
  size_t series_ = 0;
  int64_t no_room_until_ns_ = 0;  // nobody is gone for long enough before
};

// What its status in the configuration says: nothing is known of it, it lives, it ended in order, or it is gone.
enum class Presence { kUnknown, kAlive, kStopped, kGone };

struct Verdict {
  Health health = Health::kGone;
  std::string why;  // for people; empty when alive
};
Verdict judge(const LiveAgent& agent, int64_t now_ns, Presence presence, const Servers& servers = {});

}  // namespace monitor::analysis
