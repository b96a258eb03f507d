#include "views/history/store.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <bit>
#include <unordered_map>
#include <utility>

#include "base/log.h"
#include "base/trust.h"
#include "consume/consumer.h"

namespace monitor::analysis::history {

namespace {

constexpr uint32_t kNoNumber = UINT32_MAX;
// How old the stored time at which a series was last seen may be; and that of an agent.
constexpr int64_t kNoteSeries = int64_t{3600} * kNanosPerSecond;
constexpr int64_t kNoteAgent = 5 * kNanosPerSecond;

std::string labels_json(const metrics::Labels& labels) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const auto& [name, value] : labels) json[name] = value;
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

struct HistoryStore::Agent {
  explicit Agent(int64_t number) : id(number) {}
  struct Known {
    uint32_t number = 0;
    int64_t noted_ns = 0;
  };
  const int64_t id;
  std::unordered_map<std::string, Known> series;
  // A number is never reused, because rows may still refer to a forgotten series.
  uint32_t next_number = 0;
  // The series of the last batch; the next batch nearly always has the same.
  std::vector<metrics::Series> last_series;
  std::vector<uint32_t> numbers;
  int64_t numbered_ns = 0;
  KnownAgent info;
  bool touched = false;  // since the last commit
  bool changed = false;  // more than the time at which it was seen
  int64_t stored_seen_ns = INT64_MIN;
};

HistoryStore::Metrics::Metrics(telemetry::Registry& r)
    : points(r.counter("monitor_history_points_total", "Points written.")),
      over_series(r.counter("monitor_history_points_dropped_total", "Points that were not stored, by reason.",
                            {{"reason", "cardinality"}})),
      over_agents(r.counter("monitor_history_points_dropped_total", "", {{"reason", "agents"}})),
      out_of_time(r.counter("monitor_history_points_dropped_total", "", {{"reason", "time"}})),
      expired(
          r.counter("monitor_history_expired_rows_total", "Rows deleted because of their age, or to limit the size.")),
      damaged(r.counter("monitor_history_damaged_rows_total", "Damaged rows of the history whose values are lost.")),
      series(r.gauge("monitor_history_series", "Series that the history knows.")),
      agents(r.gauge("monitor_history_agents", "Agents that the history knows.")),
      bytes(r.gauge("monitor_history_bytes", "Bytes of the history's file that are in use.")),
      failing(r.gauge("monitor_history_failing", "1 while the history cannot be written.")) {}

HistoryStore::HistoryStore(const HistoryOptions& options, const Clock& clock, telemetry::Registry& registry,
                           Database db, LockFile lock)
    : options_(options),
      clock_(clock),
      trusted_(clock, {.confirm_ns = TrustedClock::confirm_for(*std::ranges::min_element(options.keep_ns)),
                       .start = options.clock_start,
                       .file = options.path + "-clock",
                       .disk = &disk_}),
      metrics_(registry),
      lock_(std::move(lock)),
      db_(std::move(db)),
      ticks_(db_),
      keep_ns_(options.keep_ns) {}

Result<std::unique_ptr<HistoryStore>> HistoryStore::open(const HistoryOptions& options, const Clock& clock,
                                                         telemetry::Registry& registry) {
  const size_t slash = options.path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : options.path.substr(0, std::max<size_t>(slash, 1));
  if (auto trusted = check_folder_trusted(folder, "the folder of the history"); !trusted) return trusted.error();
  auto lock = LockFile::acquire(options.path + ".lock", "the history " + options.path);
  if (!lock) return lock.error();
  auto db = open_for_writing(options.path);
  if (!db) return db.error();
  std::unique_ptr<HistoryStore> store(new HistoryStore(options, clock, registry, std::move(*db), std::move(*lock)));
  if (auto status = store->prepare(); !status) return status.error();
  return store;
}

HistoryStore::~HistoryStore() = default;

Status HistoryStore::prepare() {
  const std::vector<std::pair<Statement*, const char*>> statements = {
      {&find_agent_, "SELECT id, info FROM agents WHERE name = ?1"},
      {&add_agent_, "INSERT INTO agents(name) VALUES(?1) RETURNING id"},
      {&update_agent_, "UPDATE agents SET info = ?2 WHERE id = ?1"},
      {&series_of_,
       "SELECT idx, name, labels, unit, counter, is_integer, exponent, seen_ns FROM series WHERE agent = ?1"},
      {&add_series_, "INSERT INTO series VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"},
      {&seen_series_, "UPDATE series SET seen_ns = ?3 WHERE agent = ?1 AND idx = ?2"},
      {&store_position_, "INSERT OR REPLACE INTO positions VALUES(?1, ?2, ?3, ?4)"},
      {&store_identity_, "INSERT OR REPLACE INTO identities VALUES(?1, ?2, ?3)"},
  };
  for (const auto& [statement, sql] : statements) {
    auto prepared = db_.prepare(sql);
    if (!prepared) return prepared.error();
    *statement = std::move(*prepared);
  }
  if (auto status = ticks_.prepare(); !status) return status;
  reset();
  return failure_;
}

void HistoryStore::reset() {
  if (open_) (void)db_.exec("ROLLBACK");
  open_ = false;
  agents_.clear();
  remembered_ = 0;
  failure_ = {};
  const auto agents = db_.integer("SELECT count(*) FROM agents");
  const auto series = db_.integer("SELECT count(*) FROM series");
  if (!agents || !series) {
    failure_ = !agents ? agents.error() : series.error();
    return;
  }
  agent_count_ = static_cast<size_t>(*agents);
  series_count_ = static_cast<size_t>(*series);
  failure_ = ticks_.load();
}

Status HistoryStore::begin() {
  if (open_) return {};
  if (auto status = db_.exec("BEGIN IMMEDIATE"); !status) return status;
  open_ = true;
  return {};
}

Status HistoryStore::run(Statement& statement, const char* what) {
  const ResetLater reset(statement);
  int rc = statement.step();
  while (rc == SQLITE_ROW) rc = statement.step();
  return rc == SQLITE_DONE ? Status() : db_.error(rc, what);
}

void HistoryStore::apply(const metriclog::Record& record, const metrics::Batch& batch) {
  if (!failure_) return;
  if (auto status = apply_batch(record, batch); !status) failure_ = status;
}

Status HistoryStore::apply_batch(const metriclog::Record& record, const metrics::Batch& batch) {
  if (auto status = begin(); !status) return status;
  const auto found = find_agent(batch.agent_id);
  if (!found) return found.error();
  Agent* const agent = *found;
  if (agent == nullptr) {
    for (const metrics::Frame& frame : batch.frames) metrics_.over_agents.add(frame.points.size());
    return {};
  }
  agent->touched = true;
  if (agent->info.host != batch.hostname || agent->info.version != batch.agent_version) {
    agent->changed = true;
    agent->info.host = batch.hostname;
    agent->info.version = batch.agent_version;
  }
  agent->info.seen_ns = std::max(agent->info.seen_ns, record.time_ns);
  if (batch.frames.empty()) return {};
  if (auto status = number_series(*agent, batch); !status) return status;
  const int64_t off = clock_error_ns(batch, record.time_ns);
  for (const metrics::Frame& frame : batch.frames) {
    const int64_t time = elapsed_ns(off, frame.time_ns);
    const int64_t age = elapsed_ns(time, record.time_ns);
    if (age < -kMostAhead || age > *std::ranges::max_element(options_.keep_ns)) {
      metrics_.out_of_time.add(frame.points.size());
      continue;
    }
    if (auto status = add_tick(*agent, batch, frame, time, record.time_ns); !status) return status;
  }
  return {};
}

Result<HistoryStore::Agent*> HistoryStore::find_agent(const std::string& name) {
  if (const auto found = agents_.find(name); found != agents_.end()) return found->second.get();
  auto loaded = load_agent(name);
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
Result<std::unique_ptr<HistoryStore::Agent>> HistoryStore::load_agent(const std::string& name) {
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

Status HistoryStore::number_series(Agent& agent, const metrics::Batch& batch) {
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
void HistoryStore::remember_series(Agent& agent, const std::vector<metrics::Series>& series) {
  remembered_ -= agent.last_series.size();
  if (remembered_ + series.size() <= 2 * options_.max_series) {
    agent.last_series = series;
  } else {
    agent.last_series = {};
  }
  remembered_ += agent.last_series.size();
}

// Returns kNoNumber if there are too many series.
Result<uint32_t> HistoryStore::number_one(Agent& agent, const metrics::Series& series) {
  const int64_t now = agent.info.seen_ns;
  std::string key = metrics::identity(series);
  if (const auto found = agent.series.find(key); found != agent.series.end()) {
    if (now - found->second.noted_ns > kNoteSeries) {
      seen_series_.bind(1, agent.id);
      seen_series_.bind(2, found->second.number);
      seen_series_.bind(3, now);
      if (auto status = run(seen_series_, "noting a series in"); !status) return status.error();
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
  if (auto status = run(add_series_, "adding a series to"); !status) return status.error();
  agent.series.emplace(std::move(key), Agent::Known{number, now});
  ++series_count_;
  return number;
}

Status HistoryStore::add_tick(Agent& agent, const metrics::Batch& batch, const metrics::Frame& frame, int64_t time_ns,
                              int64_t now_ns) {
  order_.clear();
  for (const metrics::Point& point : frame.points) {
    const uint32_t number = agent.numbers[point.series];
    if (number == kNoNumber) {
      metrics_.over_series.add();
    } else {
      order_.emplace_back(number, &point);
    }
  }
  if (order_.empty()) return {};
  const auto by_number = [](const auto& a, const auto& b) { return a.first < b.first; };
  if (!std::ranges::is_sorted(order_, by_number)) std::ranges::stable_sort(order_, by_number);
  bytes_.clear();
  size_t points = 0;
  PointWriter writer(bytes_);
  for (size_t i = 0; i < order_.size(); ++i) {
    // If a tick contains a series twice, the last value counts.
    if (i + 1 < order_.size() && order_[i + 1].first == order_[i].first) continue;
    const auto& [number, point] = order_[i];
    const bool integer = batch.series[point->series].integer;
    writer.add(
        {number, integer, integer ? std::bit_cast<uint64_t>(point->integer) : std::bit_cast<uint64_t>(point->real)});
    ++points;
  }
  metrics_.points.add(points);
  return ticks_.add(agent.id, time_ns, bytes_, now_ns);
}

Status HistoryStore::write_agents() {
  for (auto& [name, agent] : agents_) {
    if (!agent->touched) continue;
    agent->touched = false;
    const bool aged = agent->stored_seen_ns == INT64_MIN || agent->info.seen_ns - agent->stored_seen_ns >= kNoteAgent;
    if (!agent->changed && !aged && agent->info.log == log_) continue;
    if (auto status = write_agent(*agent); !status) return status;
  }
  return {};
}

Status HistoryStore::write_agent(Agent& agent) {
  const nlohmann::json info = {{"host", agent.info.host},
                               {"version", agent.info.version},
                               {"seen_ns", agent.info.seen_ns},
                               {"log", log_},
                               {"next_number", agent.next_number}};
  const std::string text = info.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  update_agent_.bind(1, agent.id);
  update_agent_.bind_text(2, text);
  if (auto status = run(update_agent_, "writing"); !status) return status;
  agent.changed = false;
  agent.stored_seen_ns = agent.info.seen_ns;
  agent.info.log = log_;
  return {};
}

Result<std::vector<metriclog::Snapshot>> HistoryStore::load(const std::string& log) {
  log_ = log;
  auto select = db_.prepare(
      "SELECT p.partition, p.next_offset, p.state, i.identity FROM positions p LEFT JOIN identities i"
      " ON i.log = p.log AND i.partition = p.partition WHERE p.log = ?1");
  if (!select) return select.error();
  select->bind_text(1, log);
  std::vector<metriclog::Snapshot> found;
  int rc = select->step();
  for (; rc == SQLITE_ROW; rc = select->step()) {
    found.push_back({.partition = static_cast<int32_t>(select->integer(0)), .next_offset = select->integer(1)});
    found.back().state = select->bytes(2);
    found.back().identity = select->bytes(3);
  }
  if (rc != SQLITE_DONE) return db_.error(rc, "reading");
  return found;
}

Status HistoryStore::store(const std::string& log, std::span<const metriclog::Snapshot> snapshots) {
  const int64_t start = clock_.mono_ns();
  Status status = failure_;
  if (status) status = begin();
  if (status) status = write_agents();
  if (status) status = ticks_.write_rows();
  if (status) status = ticks_.seal_due();
  for (const metriclog::Snapshot& snapshot : snapshots) {
    if (!status) break;
    store_position_.bind_text(1, log);
    store_position_.bind(2, snapshot.partition);
    store_position_.bind(3, snapshot.next_offset);
    store_position_.bind_blob(4, snapshot.state);
    status = run(store_position_, "writing the position to");
    if (!status) break;
    store_identity_.bind_text(1, log);
    store_identity_.bind(2, snapshot.partition);
    store_identity_.bind_blob(3, snapshot.identity);
    status = run(store_identity_, "writing the position to");
  }
  if (status) status = db_.exec("COMMIT");
  last_commit_ns_ = clock_.mono_ns() - start;
  metrics_.failing.set(status ? 0 : 1);
  metrics_.damaged.add(ticks_.damaged() - std::exchange(damaged_, ticks_.damaged()));
  if (status) {
    open_ = false;
    metrics_.agents.set(static_cast<double>(agent_count_));
    metrics_.series.set(static_cast<double>(series_count_));
    return {};
  }
  if (open_) (void)db_.exec("ROLLBACK");
  open_ = false;
  failure_ = status;
  return status;
}

Result<std::vector<KnownAgent>> HistoryStore::agents_of_other_logs() {
  if (log_.empty()) return std::vector<KnownAgent>();
  auto found = known_agents();
  if (found) std::erase_if(*found, [this](const auto& one) { return one.log.empty() || one.log == log_; });
  return found;
}

}  // namespace monitor::analysis::history
