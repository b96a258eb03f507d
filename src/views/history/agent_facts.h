// What the page's server knew about each agent beside its values, over time: its state, the revision of its
// configuration, its clock and certificate, and what its ledger says about late and missing data. PromQL's functions
// agent_state(), late_fraction() and others read it (kAgentFunctions).
//
// The facts are in a file of their own beside the history's (facts_path()). A row has the facts of every agent once a
// minute, and in between those of the agents whose state, revision, gap or unusual series have changed.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "query/matcher.h"
#include "query/series.h"
#include "views/history/database.h"
#include "views/history/plugin_facts.h"

namespace monitor::analysis::history {

// The states that agent_state() has; the file refers to them by their place.
inline constexpr std::array<std::string_view, 7> kAgentStates = {"alive",   "late",    "spooling", "silent",
                                                                 "stopped", "unknown", "gone"};

// The functions of which AgentFactsReader has series, beside kPluginFunctions.
inline constexpr std::array<std::string_view, 14> kAgentFunctions = {
    "agent_cpu_seconds", "due_ticks",           "made_points",        "missed_ticks",    "certificate_life_seconds",
    "agent_state",       "certificate_seconds", "clock_skew_seconds", "config_revision", "gap_seconds",
    "late_fraction",     "missing_batches",     "waiting_batches",    "unusual_fraction"};

struct AgentFacts {
  std::string agent;
  std::string host;
  std::string_view state = kAgentStates[0];  // one of kAgentStates
  uint64_t revision = 0;                     // of the configuration that it uses; 0: none
  uint64_t ticks = 0;                        // stored, of all its runs that the ledger knows
  uint64_t late_ticks = 0;                   // of these, those that came late
  uint64_t gap_seconds = 0;                  // for how long its oldest missing batch has been missing; 0: none is
  uint64_t missing = 0;                      // batches that the ledger misses
  uint64_t waiting = 0;                      // batches that waited at the agent when it sent the newest one
  std::optional<int64_t> skew_ms = {};       // how far its clock is ahead of the log's
  uint64_t certificate_s = 0;                // when its certificate expires, seconds since 1970; 0: unknown
  uint64_t certificate_life_s = 0;           // how long the certificate is valid in total
  uint64_t scored = 0;                       // its series that have a score (views/unusual)
  uint64_t unusual = 0;                      // of these, those that are unusual
  // Since the agent started.
  uint64_t ticks_due = 0;
  uint64_t ticks_missed = 0;
  uint64_t points_made = 0;
  uint64_t cpu_ms = 0;  // CPU time of its process; 0: unknown

  bool operator==(const AgentFacts&) const = default;
};

std::string facts_path(const std::string& history_path);

// One thread; the file must have no other writer (the history's lock sees to that).
class AgentFactsWriter {
 public:
  static constexpr int64_t kAllEveryNs = 60 * kNanosPerSecond;
  static constexpr int64_t kKeepNs = int64_t{30} * 24 * 3600 * kNanosPerSecond;

  // A file that cannot be read is moved aside. Errors: those of the disk.
  static Result<std::unique_ptr<AgentFactsWriter>> open(const std::string& path);
  // Times must ascend. Deletes rows older than kKeepNs.
  Status add(int64_t time_ns, std::span<const AgentFacts> facts);
  Status add_plugins(int64_t time_ns, std::span<const PluginFacts> facts) {
    return plugins_.add(db_, time_ns, facts, kKeepNs);
  }

 private:
  explicit AgentFactsWriter(Database db) : db_(std::move(db)) {}
  Result<int64_t> number_of(const AgentFacts& facts);
  Status insert(int64_t time_ns, const std::string& rows);

  struct Known {
    int64_t number = 0;
    AgentFacts last;
  };
  Database db_;
  std::map<std::string, Known, std::less<>> agents_;
  int64_t all_ns_ = 0;  // of the newest row with every agent
  PluginFactsWriter plugins_;
};

// Not thread-safe.
class AgentFactsReader {
 public:
  // kNotFound: the file does not exist.
  static Result<std::unique_ptr<AgentFactsReader>> open(const std::string& path);

  // The series of one of the functions, from agents that fulfil the conditions, with the labels agent and host,
  // and that of agent_state() also state. Errors: kInvalidArgument, there is no such function; those of the disk.
  Result<std::vector<query::StoredSeries>> series(std::string_view function, std::span<const query::Matcher> matchers,
                                                  int64_t from_ms, int64_t to_ms);

 private:
  explicit AgentFactsReader(Database db) : db_(std::move(db)) {}
  Database db_;
};

}  // namespace monitor::analysis::history
