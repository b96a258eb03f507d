#include "ui/web/facts_recorder.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/log.h"

namespace monitor::analysis::web {

namespace {

// Adds what the ledger says about one run.
void add_run(const Account& run, int64_t now_ns, history::AgentFacts& facts) {
  facts.ticks += run.ticks_stored;
  facts.late_ticks += std::min(run.late_ticks, run.ticks_stored);
  for (const auto& [first, gap] : run.gaps) {
    uint64_t missing = 0;
    for (const auto& [from, to] : run.unseen(first, gap.last)) missing += to - from + 1;
    if (missing == 0) continue;  // it was filled in the meantime
    facts.missing += missing;
    const int64_t seconds = std::max<int64_t>(1, elapsed_ns(gap.since_ns, now_ns) / kNanosPerSecond);
    facts.gap_seconds = std::max(facts.gap_seconds, static_cast<uint64_t>(seconds));
  }
}

}  // namespace

std::vector<history::AgentFacts> facts_of(const Fleet& fleet, const Ledger& ledger, int64_t now_ns,
                                          const std::function<Health(const LiveAgent& agent)>& judge) {
  std::vector<history::AgentFacts> all;
  for (const auto& [name, agent] : fleet.agents()) {
    history::AgentFacts facts{.agent = name, .host = agent.host, .state = to_string(judge(agent))};
    facts.revision = agent.revision;
    facts.waiting = agent.waiting;
    facts.ticks_due = agent.ticks_due;
    facts.ticks_missed = agent.ticks_missed;
    facts.points_made = agent.points_made;
    if (const auto ahead = agent.skew.ahead_ns()) facts.skew_ms = *ahead / kNanosPerMilli;
    for (const auto& [number, partition] : ledger.partitions()) {
      const auto runs = partition.agents().find(name);
      if (runs == partition.agents().end()) continue;
      for (const auto& [incarnation, run] : runs->second) add_run(run, now_ns, facts);
    }
    all.push_back(std::move(facts));
  }
  return all;
}

std::vector<history::PluginFacts> plugin_facts_of(const std::string& agent, const std::string& host,
                                                  const std::vector<config::PluginStatus>& plugins) {
  const auto micros = [](double seconds) { return static_cast<uint64_t>(std::clamp(seconds, 0.0, 1e6) * 1e6); };
  std::map<std::string, int> named;
  std::vector<history::PluginFacts> facts;
  for (const config::PluginStatus& one : plugins) {
    const int times = ++named[one.name];
    facts.push_back({.agent = agent,
                     .host = host,
                     .plugin = times == 1 ? one.name : one.name + "#" + std::to_string(times),
                     .p50_us = micros(one.p50),
                     .p99_us = micros(one.p99),
                     .dropped_ticks = one.dropped,
                     .dropped_points = one.points_dropped,
                     .failures = one.failed});
  }
  return facts;
}

void FactsRecorder::start() {
  busy_ = true;
  worker_.submit([this] { note(open()); }, [this] { busy_ = false; });
}

void FactsRecorder::record(int64_t time_ns, std::vector<history::AgentFacts> facts,
                           std::vector<history::PluginFacts> plugins) {
  busy_ = true;
  worker_.submit(
      [this, time_ns, facts = std::move(facts), plugins = std::move(plugins)] { write(time_ns, facts, plugins); },
      [this] { busy_ = false; });
}

Status FactsRecorder::open() {
  if (writer_) return {};
  auto opened = history::AgentFactsWriter::open(path_);
  if (!opened) return opened.error();
  writer_ = std::move(*opened);
  return {};
}

void FactsRecorder::write(int64_t time_ns, const std::vector<history::AgentFacts>& facts,
                          const std::vector<history::PluginFacts>& plugins) {
  Status written = open();
  if (written) written = writer_->add(time_ns, facts);
  if (written) written = writer_->add_plugins(time_ns, plugins);
  note(written);
}

void FactsRecorder::note(const Status& written) {
  if (!written) {
    if (!failing_) {
      log_warning("the agents' states cannot be written; agent_state() and its like have a gap in queries",
                  {{"file", path_}, {"reason", written.error()}});
    }
    writer_.reset();
  }
  failing_ = !written;
}

}  // namespace monitor::analysis::web
