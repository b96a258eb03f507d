#include "views/history/agent_table.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "views/history/block.h"

namespace monitor::analysis::history {

namespace {

// How old the stored time at which a series was last seen may be; and that of an agent.
constexpr int64_t kNoteSeries = int64_t{3600} * kNanosPerSecond;
constexpr int64_t kNoteAgent = 5 * kNanosPerSecond;

std::string labels_json(const metrics::Labels& labels) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const auto& [name, value] : labels) json[name] = value;
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

Status AgentTable::prepare() {
  const std::vector<std::pair<Statement*, const char*>> statements = {
      {&find_agent_, "SELECT id, info FROM agents WHERE name = ?1"},
      {&add_agent_, "INSERT INTO agents(name) VALUES(?1) RETURNING id"},
      {&update_agent_, "UPDATE agents SET info = ?2 WHERE id = ?1"},
      {&series_of_,
       "SELECT idx, name, labels, unit, counter, is_integer, exponent, seen_ns FROM series WHERE agent = ?1"},
      {&add_series_, "INSERT INTO series VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"},
      {&seen_series_, "UPDATE series SET seen_ns = ?3 WHERE agent = ?1 AND idx = ?2"},
  };
  for (const auto& [statement, sql] : statements) {
    auto prepared = db_.prepare(sql);
    if (!prepared) return prepared.error();
    *statement = std::move(*prepared);
  }
  return {};
}

Status AgentTable::reload() {
  agents_.clear();
  remembered_ = 0;
  const auto agents = db_.integer("SELECT count(*) FROM agents");
  if (!agents) return agents.error();
  const auto series = db_.integer("SELECT count(*) FROM series");
  if (!series) return series.error();
  agent_count_ = static_cast<size_t>(*agents);
  series_count_ = static_cast<size_t>(*series);
  return {};
}

Result<AgentTable::Agent*> AgentTable::find(const std::string& name) {
  if (const auto found = agents_.find(name); found != agents_.end()) return found->second.get();
  auto loaded = load(name);
  if (!loaded) return loaded.error();
  if (!*loaded) {
    if (agent_count_ >= options_.max_agents) return nullptr;
    const ResetLater reset(add_agent_);
    add_agent_.bind_text(1, name);
    const int rc = add_agent_.step();
    if (rc != SQLITE_ROW) return db_.error(rc, "adding an agent to");
    *loaded = std::make_unique<Agent>(add_agent_.integer(0));
    (*loaded)->info.name = name;
    add_agent_.step();  // runs to the end, which completes the insert
    ++agent_count_;
  }
  return agents_.emplace(name, std::move(*loaded)).first->second.get();
}

// Returns nullptr if the agent is not in the database.
Result<std::unique_ptr<AgentTable::Agent>> AgentTable::load(const std::string& name) {
  std::unique_ptr<Agent> agent;
  {
    const ResetLater reset(find_agent_);
    find_agent_.bind_text(1, name);
    const int rc = find_agent_.step();
    if (rc == SQLITE_DONE) return agent;
    if (rc != SQLITE_ROW) return db_.error(rc, "reading");
    agent = std::make_unique<Agent>(find_agent_.integer(0));
    agent->info.name = name;
    const auto info = nlohmann::json::parse(find_agent_.bytes(1), nullptr, false);
    if (info.is_object()) {
      agent->info.seen_ns = info.value("seen_ns", int64_t{0});
      agent->next_number = info.value("next_number", uint32_t{0});
    }
  }
  const ResetLater reset(series_of_);
  series_of_.bind(1, agent->id);
  int rc = series_of_.step();
  for (; rc == SQLITE_ROW; rc = series_of_.step()) {
    metrics::Series series{.name = std::string(series_of_.bytes(1)), .labels = {}};
    const auto labels = nlohmann::ordered_json::parse(series_of_.bytes(2), nullptr, false);
    for (const auto& [label, value] : labels.items()) series.labels.emplace_back(label, value.get<std::string>());
    series.unit = series_of_.bytes(3);
    series.kind = series_of_.integer(4) != 0 ? metrics::Kind::kCounter : metrics::Kind::kGauge;
    series.integer = series_of_.integer(5) != 0;
    series.exponent = static_cast<int>(series_of_.integer(6));
    const auto number = static_cast<uint32_t>(series_of_.integer(0));
    agent->series[metrics::identity(series)] = {number, series_of_.integer(7)};
    agent->next_number = std::max(agent->next_number, number + 1);
  }
  return rc == SQLITE_DONE ? Result<std::unique_ptr<Agent>>(std::move(agent)) : db_.error(rc, "reading");
}

Status AgentTable::number_series(Agent& agent, const metrics::Batch& batch) {
  const int64_t now = agent.info.seen_ns;
  const bool fresh = now - agent.numbered_ns < kNoteSeries;
  // Series without a number may find room by now, but this is not tried with every batch.
  if (fresh && agent.last_series == batch.series) return {};
  agent.numbers.clear();
  for (const metrics::Series& series : batch.series) {
    const auto number = number_one(agent, series);
    if (!number) return number.error();
    agent.numbers.push_back(*number);
  }
  remember_series(agent, batch.series);
  agent.numbered_ns = now;
  return {};
}

// Remembers the series, unless all agents together have far more than are kept.
void AgentTable::remember_series(Agent& agent, const std::vector<metrics::Series>& series) {
  remembered_ -= agent.last_series.size();
  if (remembered_ + series.size() <= 2 * options_.max_series) {
    agent.last_series = series;
  } else {
    agent.last_series = {};
  }
  remembered_ += agent.last_series.size();
}

// Returns kNoNumber if there are too many series.
Result<uint32_t> AgentTable::number_one(Agent& agent, const metrics::Series& series) {
  const int64_t now = agent.info.seen_ns;
  std::string key = metrics::identity(series);
  if (const auto found = agent.series.find(key); found != agent.series.end()) {
    if (now - found->second.noted_ns > kNoteSeries) {
      seen_series_.bind(1, agent.id);
      seen_series_.bind(2, found->second.number);
      seen_series_.bind(3, now);
      if (auto status = db_.run(seen_series_, "noting a series in"); !status) return status.error();
      found->second.noted_ns = now;
    }
    return found->second.number;
  }
  const bool full = series_count_ >= options_.max_series && agent.series.size() >= options_.fair_series;
  if (full || agent.series.size() >= options_.max_series_per_agent) return kNoNumber;
  if (agent.next_number > kMostSeriesNumber) return kNoNumber;
  const uint32_t number = agent.next_number++;
  agent.changed = true;
  const std::string labels = labels_json(series.labels);
  add_series_.bind(1, agent.id);
  add_series_.bind(2, number);
  add_series_.bind_text(3, series.name);
  add_series_.bind_text(4, labels);
  add_series_.bind_text(5, series.unit);
  add_series_.bind(6, series.kind == metrics::Kind::kCounter ? 1 : 0);
  add_series_.bind(7, series.integer ? 1 : 0);
  add_series_.bind(8, series.exponent);
  add_series_.bind(9, now);
  if (auto status = db_.run(add_series_, "adding a series to"); !status) return status.error();
  agent.series.emplace(std::move(key), Agent::Known{number, now});
  ++series_count_;
  return number;
}

Status AgentTable::write(const std::string& log) {
  for (auto& [name, agent] : agents_) {
    if (!agent->touched) continue;
    agent->touched = false;
    const bool aged = agent->stored_seen_ns == INT64_MIN || agent->info.seen_ns - agent->stored_seen_ns >= kNoteAgent;
    if (!agent->changed && !aged && agent->info.log == log) continue;
    if (auto status = write_one(*agent, log); !status) return status;
  }
  return {};
}

Status AgentTable::write_one(Agent& agent, const std::string& log) {
  const nlohmann::json info = {{"host", agent.info.host},
                               {"version", agent.info.version},
                               {"seen_ns", agent.info.seen_ns},
                               {"log", log},
                               {"next_number", agent.next_number}};
  const std::string text = info.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  update_agent_.bind(1, agent.id);
  update_agent_.bind_text(2, text);
  if (auto status = db_.run(update_agent_, "writing"); !status) return status;
  agent.changed = false;
  agent.stored_seen_ns = agent.info.seen_ns;
  agent.info.log = log;
  return {};
}

}  // namespace monitor::analysis::history
