#include "views/fleet/fleet.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/counted.h"
#include "base/time_format.h"
#include "consume/consumer.h"
#include "metrics/host_figures.h"

namespace monitor::analysis {

namespace {

constexpr std::array<metrics::HostFigure, kFigures> kWanted = {metrics::kCpu,          metrics::kMemory,
                                                               metrics::kHostRates[0], metrics::kHostRates[1],
                                                               metrics::kHostRates[2], metrics::kHostRates[3]};
// Heartbeats come every 10 s.
constexpr int64_t kDue = 15 * kNanosPerSecond;
constexpr int64_t kGoneAfter = 30 * kNanosPerSecond;
constexpr int64_t kQuiet = 25 * kNanosPerSecond;
// More batches than are ever in flight at one time.
constexpr uint64_t kManyWaiting = 10;
// So few that the newest one was sent when it was closed.
constexpr uint64_t kFewWaiting = 2;
// If all places are taken, an agent that has been gone for this long makes way for a new one.
constexpr int64_t kMakesWay = int64_t{10} * 60 * kNanosPerSecond;
constexpr size_t kOlderRuns = 64;

std::string seconds(int64_t ns) { return format_duration(ns / kNanosPerSecond * kNanosPerSecond); }

// The earlier runs that a batch reports.
std::vector<std::string> older_runs_of(const metrics::Batch& batch) {
  std::vector<std::string> found;
  found.reserve(batch.ended.size() + batch.older.size());
  for (const auto& one : batch.ended) found.push_back(one.incarnation);
  for (const auto& one : batch.older) found.push_back(one.incarnation);
  std::erase(found, batch.incarnation);
  return found;
}

void note_older_runs(LiveAgent& agent, std::vector<std::string> found) {
  for (std::string& one : found) {
    if (std::ranges::find(agent.older_runs, one) == agent.older_runs.end()) agent.older_runs.push_back(std::move(one));
  }
  if (agent.older_runs.size() <= kOlderRuns) return;
  agent.older_runs.erase(agent.older_runs.begin(), agent.older_runs.end() - kOlderRuns);
}

// True if a run other than the known one is newer. `last_ns`: the newest time in the batch.
bool is_newer_run(const LiveAgent& agent, const metrics::Batch& batch, int64_t last_ns, int64_t log_ns) {
  if (agent.incarnation.empty()) return true;
  const auto names = [](const std::vector<std::string>& runs, const std::string& run) {
    return std::ranges::find(runs, run) != runs.end();
  };
  if (names(agent.older_runs, batch.incarnation)) return false;
  if (names(older_runs_of(batch), agent.incarnation)) return true;
  // Neither run names the other. While the known run is still heard, batches of an older run come from its spool. Once
  // it is no longer heard, the other run has followed it, even if the known run's clock was ahead.
  return last_ns >= agent.tick_ns || elapsed_ns(agent.run_seen_ns, log_ns) > kDue;
}

}  // namespace

std::string_view to_string(Health health) {
  constexpr std::array<std::string_view, kHealths> kNames = {"alive",   "late",    "spooling", "silent",
                                                             "stopped", "unknown", "gone"};
  return kNames[static_cast<size_t>(health)];
}

std::optional<size_t> figure_of(const metrics::Series& series) {
  for (size_t i = 0; i < kFigures; ++i) {
    if (kWanted[i].matches(series)) return i;
  }
  return std::nullopt;
}

Figures LiveAgent::figures() const {
  Figures found;
  for (const LiveValue& value : values) {
    for (size_t i = 0; i < kFigures; ++i) {
      if (!found[i] && std::isfinite(value.value) && kWanted[i].matches(value.series)) found[i] = value.value;
    }
  }
  return found;
}

const LiveAgent* Fleet::find(std::string_view name) const {
  const auto found = agents_.find(name);
  return found == agents_.end() ? nullptr : &found->second;
}

LiveAgent* Fleet::find_or_add(const std::string& name, int64_t now_ns) {
  if (const auto found = agents_.find(name); found != agents_.end()) return &found->second;
  if (agents_.size() >= limits_.agents) make_room(now_ns);
  if (agents_.size() >= limits_.agents) return nullptr;
  LiveAgent& agent = agents_[name];
  agent.name = name;
  return &agent;
}

// Removes several at once, because finding them requires a look at all agents.
void Fleet::make_room(int64_t now_ns) {
  if (now_ns < no_room_until_ns_) return;
  std::vector<std::pair<int64_t, std::string>> by_age;
  by_age.reserve(agents_.size());
  for (const auto& [name, agent] : agents_) by_age.emplace_back(agent.seen_ns, name);
  const size_t most = std::min(by_age.size(), limits_.agents / 100 + 1);
  std::ranges::partial_sort(by_age, by_age.begin() + static_cast<long>(most));
  for (size_t i = 0; i < most && elapsed_ns(by_age[i].first, now_ns) > kMakesWay; ++i) {
    const auto gone = agents_.find(by_age[i].second);
    series_ -= gone->second.values.size();
    agents_.erase(gone);
  }
  if (agents_.size() == by_age.size()) no_room_until_ns_ = by_age.empty() ? 0 : by_age[0].first + kMakesWay;
}

void Fleet::add_known(const std::string& name, const std::string& host, const std::string& version, int64_t seen_ns) {
  if (agents_.contains(name)) return;
  LiveAgent* const agent = find_or_add(name, seen_ns);
  if (agent == nullptr) return;
  agent->host = host;
  agent->version = version;
  agent->seen_ns = seen_ns;
  agent->change = ++change_;
}

void Fleet::remember(const std::string& name, int64_t time_ns, const Figures& figures, int64_t width_ns) {
  const auto found = agents_.find(name);
  if (found == agents_.end() || time_ns < found->second.past.end_ns()) return;
  LiveAgent& agent = found->second;
  agent.change = ++change_;
  agent.past.note(time_ns, figures, agent.change, width_ns);
}

bool Fleet::apply(const metriclog::Record& record, const metrics::Batch& batch) {
  LiveAgent* const agent = find_or_add(batch.agent_id, record.time_ns);
  if (agent == nullptr) {
    for (const metrics::Frame& frame : batch.frames) dropped_ += frame.points.size();
    return false;
  }
  agent->change = ++change_;
  if (agent->first_ns == 0) agent->first_ns = record.time_ns;
  agent->seen_ns = std::max(agent->seen_ns, record.time_ns);
  const bool same_run = agent->incarnation == batch.incarnation;
  const int64_t off = clock_error_ns(batch, record.time_ns);
  const int64_t last =
      batch.frames.empty() ? elapsed_ns(off, batch.appended_ns) : elapsed_ns(off, batch.frames.back().time_ns);
  if (same_run) agent->run_seen_ns = std::max(agent->run_seen_ns, record.time_ns);
  const bool newer = same_run ? batch.sequence > agent->sequence : is_newer_run(*agent, batch, last, record.time_ns);
  if (!newer) return false;
  if (!same_run) agent->older_runs.clear();
  note_older_runs(*agent, older_runs_of(batch));
  agent->run_seen_ns = record.time_ns;
  agent->other_host = !same_run && !agent->host.empty() && agent->host != batch.hostname ? agent->host : "";
  take_labels(*agent, batch);
  agent->host = batch.hostname;
  agent->version = batch.agent_version;
  agent->clock_error_ns = off;
  agent->revision = batch.config_revision;
  if (!same_run) agent->interval_ns = 0;
  agent->incarnation = batch.incarnation;
  agent->sequence = batch.sequence;
  agent->waiting = batch.sequence > batch.first_unacked ? batch.sequence - batch.first_unacked : 0;
  if (!same_run) agent->skew = {};
  if (agent->waiting <= kFewWaiting && batch.appended_ns != 0) agent->skew.note(batch.appended_ns, record.time_ns);
  agent->late = !batch.frames.empty() && off == 0 && is_late(batch, batch.frames.back().time_ns, record.time_ns);
  agent->stopped = batch.final_batch;
  note_counters(*agent, batch);
  // Batches and runs arrive in order, so times that go back mean that the clock was set back.
  if (!batch.frames.empty()) agent->tick_ns = std::min(agent->tick_ns, last);
  for (const metrics::Frame& frame : batch.frames) take_frame(*agent, batch, frame, elapsed_ns(off, frame.time_ns));
  return true;
}

// If the configured labels have changed, drops all values: they belong to series with the previous labels.
void Fleet::take_labels(LiveAgent& agent, const metrics::Batch& batch) {
  if (batch.frames.empty() || agent.labels == batch.resource) return;
  agent.labels = batch.resource;
  series_ -= agent.values.size();
  agent.values.clear();
  agent.places.clear();
}

void Fleet::note_counters(LiveAgent& agent, const metrics::Batch& batch) {
  uint64_t dropped = 0;
  for (const metrics::Drop& total : batch.counters.dropped) {
    if (total.stage == metrics::stage::kPlugin) dropped += total.points;
  }
  if (batch.frames.empty()) {
    agent.plugins_drop = agent.plugins_drop || dropped > agent.plugin_points;
  } else {
    agent.plugins_drop = false;
  }
  agent.plugin_points = dropped;
  agent.ticks_due = batch.counters.ticks_due;
  agent.ticks_missed = batch.counters.ticks_missed;
  agent.points_made = batch.counters.points_made;
}

// The place of the batch's series `number`; nullptr: there is no room. An agent sends the same series with each batch,
// so the place of last time is tried first.
LiveValue* Fleet::value_of(LiveAgent& agent, const metrics::Series& series, size_t number) {
  if (number < agent.list.size() && agent.list[number] < agent.values.size()) {
    LiveValue& value = agent.values[agent.list[number]];
    if (value.series == series) return &value;
  }
  std::string key = metrics::identity(series);
  auto place = agent.places.find(key);
  if (place == agent.places.end()) {
    const bool full = series_ >= limits_.series && agent.values.size() >= limits_.fair_series;
    if (full || agent.values.size() >= limits_.series_per_agent) return nullptr;
    place = agent.places.emplace(std::move(key), agent.values.size()).first;
    LiveValue& added = agent.values.emplace_back(LiveValue{.series = series});
    for (size_t i = 0; i < kFigures; ++i) {
      if (kWanted[i].matches(series)) added.figures |= static_cast<uint8_t>(1U << i);
    }
    ++series_;
  }
  if (number < limits_.series_per_agent) {
    if (agent.list.size() <= number) agent.list.resize(number + 1);
    agent.list[number] = static_cast<uint32_t>(place->second);
  }
  return &agent.values[place->second];
}

void Fleet::take_frame(LiveAgent& agent, const metrics::Batch& batch, const metrics::Frame& frame, int64_t time_ns) {
  if (time_ns < agent.tick_ns) return;
  if (agent.tick_ns != 0 && time_ns > agent.tick_ns) agent.interval_ns = elapsed_ns(agent.tick_ns, time_ns);
  agent.tick_ns = time_ns;
  Figures figures;
  for (const metrics::Point& point : frame.points) {
    LiveValue* const value = value_of(agent, batch.series[point.series], point.series);
    if (value == nullptr) {
      ++dropped_;
      continue;
    }
    value->value = batch.value(point);
    value->time_ns = time_ns;
    if (value->figures == 0 || !std::isfinite(value->value)) continue;
    for (size_t i = 0; i < kFigures; ++i) {
      if (!figures[i] && (value->figures >> i & 1U) != 0) figures[i] = value->value;
    }
  }
  agent.past.note(time_ns, figures, agent.change);
}

void Fleet::forget(int64_t values_before_ns, int64_t agents_before_ns) {
  std::erase_if(agents_, [&](auto& entry) {
    // An agent that never reached the log has no age; drop() removes it.
    if (entry.second.seen_ns == 0 || entry.second.seen_ns >= agents_before_ns) return false;
    series_ -= entry.second.values.size();
    return true;
  });
  for (auto& [name, agent] : agents_) {
    const size_t before = agent.values.size();
    // An agent's newest values stay as long as the agent.
    const int64_t limit = std::min(values_before_ns, agent.tick_ns);
    if (std::erase_if(agent.values, [limit](const LiveValue& value) { return value.time_ns < limit; }) == 0) continue;
    agent.places.clear();
    for (size_t i = 0; i < agent.values.size(); ++i) agent.places[metrics::identity(agent.values[i].series)] = i;
    series_ -= before - agent.values.size();
    agent.change = ++change_;
  }
}

void Fleet::drop(std::string_view name, int64_t seen_until_ns) {
  const auto found = agents_.find(name);
  if (found == agents_.end() || found->second.seen_ns > seen_until_ns) return;
  series_ -= found->second.values.size();
  agents_.erase(found);
}

namespace {

// True if the agent is known to have stopped in order. A status may be left over from the previous run, so recent
// batches count more.
bool is_stopped(const LiveAgent& agent, int64_t quiet_ns, Presence presence) {
  if (quiet_ns <= kDue) return agent.stopped;
  return presence == Presence::kStopped || (agent.stopped && presence != Presence::kAlive);
}

}  // namespace

Verdict judge(const LiveAgent& agent, int64_t now_ns, Presence presence, const Servers& servers) {
  const int64_t quiet = std::max<int64_t>(elapsed_ns(agent.seen_ns, now_ns), 0);
  if (agent.seen_ns == 0 && presence == Presence::kAlive) {
    return {Health::kSpooling, "it is alive, but none of its data has ever reached the log"};
  }
  if (is_stopped(agent, quiet, presence)) {
    return {Health::kStopped, agent.waiting <= kManyWaiting
                                  ? "it was stopped"
                                  : fmt::format("it was stopped; up to {} at the agent",
                                                counted(agent.waiting, "batch waits", "batches wait"))};
  }
  const bool heard_until_then = elapsed_ns(agent.seen_ns, servers.last_ns) <= kGoneAfter;
  if (servers.gone() && quiet > kDue && heard_until_then && presence != Presence::kGone) {
    return {Health::kUnknown,
            fmt::format("no server has written the log since {}{}", format_rfc3339(servers.last_ns, 0),
                        presence == Presence::kAlive ? "; the agent is alive" : "")};
  }
  if (quiet > kGoneAfter) {
    if (presence == Presence::kAlive) {
      return {Health::kSpooling,
              fmt::format("it is alive, but none of its data has reached the log for {}", seconds(quiet))};
    }
    return {Health::kGone, fmt::format("no data for {}", seconds(quiet))};
  }
  if (agent.waiting > kManyWaiting) {
    return {Health::kSpooling, counted(agent.waiting, "batch waits at the agent", "batches wait at the agent")};
  }
  if (agent.late) return {Health::kLate, "its data arrives late"};
  if (quiet > kDue) return {Health::kLate, fmt::format("no data for {}", seconds(quiet))};
  const int64_t since_tick = elapsed_ns(agent.tick_ns == 0 ? agent.first_ns : agent.tick_ns, now_ns);
  if (since_tick > std::max(kQuiet, agent.interval_ns * 3)) {
    return {Health::kSilent, agent.plugins_drop ? "its plugins drop everything that it collects"
                                                : "it is configured to collect nothing"};
  }
  return {Health::kAlive, ""};
}

}  // namespace monitor::analysis
