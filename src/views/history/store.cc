#include "views/history/store.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/log.h"
#include "base/trust.h"
#include "consume/consumer.h"

namespace monitor::analysis::history {

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
      agents_(db_, options_),
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
  for (const auto& [statement, sql] :
       {std::pair{&store_position_, "INSERT OR REPLACE INTO positions VALUES(?1, ?2, ?3, ?4)"},
        {&store_identity_, "INSERT OR REPLACE INTO identities VALUES(?1, ?2, ?3)"}}) {
    auto prepared = db_.prepare(sql);
    if (!prepared) return prepared.error();
    *statement = std::move(*prepared);
  }
  if (auto status = agents_.prepare(); !status) return status;
  if (auto status = ticks_.prepare(); !status) return status;
  reset();
  return failure_;
}

void HistoryStore::reset() {
  if (open_) (void)db_.exec("ROLLBACK");
  open_ = false;
  failure_ = agents_.reload();
  if (failure_) failure_ = ticks_.load();
}

Status HistoryStore::begin() {
  if (open_) return {};
  if (auto status = db_.exec("BEGIN IMMEDIATE"); !status) return status;
  open_ = true;
  return {};
}

void HistoryStore::apply(const metriclog::Record& record, const metrics::Batch& batch) {
  if (!failure_) return;
  if (auto status = apply_batch(record, batch); !status) failure_ = status;
}

Status HistoryStore::apply_batch(const metriclog::Record& record, const metrics::Batch& batch) {
  if (auto status = begin(); !status) return status;
  const auto found = agents_.find(batch.agent_id);
  if (!found) return found.error();
  AgentTable::Agent* const agent = *found;
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
  if (auto status = agents_.number_series(*agent, batch); !status) return status;
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

Status HistoryStore::add_tick(AgentTable::Agent& agent, const metrics::Batch& batch, const metrics::Frame& frame,
                              int64_t time_ns, int64_t now_ns) {
  order_.clear();
  for (const metrics::Point& point : frame.points) {
    const uint32_t number = agent.numbers[point.series];
    if (number == AgentTable::kNoNumber) {
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
  if (status) status = agents_.write(log_);
  if (status) status = ticks_.write_rows();
  if (status) status = ticks_.seal_due();
  for (const metriclog::Snapshot& snapshot : snapshots) {
    if (!status) break;
    store_position_.bind_text(1, log);
    store_position_.bind(2, snapshot.partition);
    store_position_.bind(3, snapshot.next_offset);
    store_position_.bind_blob(4, snapshot.state);
    status = db_.run(store_position_, "writing the position to");
    if (!status) break;
    store_identity_.bind_text(1, log);
    store_identity_.bind(2, snapshot.partition);
    store_identity_.bind_blob(3, snapshot.identity);
    status = db_.run(store_identity_, "writing the position to");
  }
  if (status) status = db_.exec("COMMIT");
  last_commit_ns_ = clock_.mono_ns() - start;
  metrics_.failing.set(status ? 0 : 1);
  metrics_.damaged.add(ticks_.damaged() - std::exchange(damaged_, ticks_.damaged()));
  if (status) {
    open_ = false;
    metrics_.agents.set(static_cast<double>(agents_.agents()));
    metrics_.series.set(static_cast<double>(agents_.series()));
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
