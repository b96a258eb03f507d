#include "views/history/agent_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "base/protowire.h"
#include "sqlite/versioned_file.h"
#include "views/history/series_labels.h"

namespace monitor::analysis::history {

namespace {

// How many numbers a row has for each agent, in files of version 1 and now.
constexpr int kFirstFields = 6;
constexpr int kFields = 17;
constexpr int64_t kLateOverNs = 300 * kNanosPerSecond;  // the time that late_fraction() is about

constexpr const char* kTables =
    "CREATE TABLE IF NOT EXISTS agents(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, host TEXT NOT NULL,"
    " UNIQUE(name, host));"
    // As in version 1, and what version 2 has added.
    "CREATE TABLE IF NOT EXISTS facts(time_ns INTEGER PRIMARY KEY, rows BLOB NOT NULL);"
    "ALTER TABLE facts ADD COLUMN fields INTEGER NOT NULL DEFAULT 6;";

constexpr sqlite::FileKind kFacts = {.name = "the history of the agents' states",
                                     .version = 2,
                                     .tables = kTables,
                                     .pragmas = "PRAGMA synchronous=NORMAL; PRAGMA journal_size_limit=4194304",
                                     .loss = "it begins anew"};

void put(std::string& out, int64_t number, const AgentFacts& facts) {
  const auto* const state = std::ranges::find(kAgentStates, facts.state);
  protowire::put_varint(out, static_cast<uint64_t>(number));
  protowire::put_varint(out, static_cast<uint64_t>(state - kAgentStates.begin()));
  // Odd: ahead or right; even: behind; 0: unknown.
  const int64_t skew = facts.skew_ms.value_or(0);
  const uint64_t skew_number =
      !facts.skew_ms ? 0 : (static_cast<uint64_t>(skew < 0 ? -skew : skew) << 1U) + (skew < 0 ? 0 : 1);
  for (const uint64_t value : {facts.revision, facts.ticks, facts.late_ticks, facts.gap_seconds, facts.missing,
                               facts.waiting, skew_number, facts.certificate_s, facts.certificate_life_s, facts.scored,
                               facts.unusual, facts.ticks_due, facts.ticks_missed, facts.points_made, facts.cpu_ms}) {
    protowire::put_varint(out, value);
  }
}

struct Row {
  uint64_t agent = 0;
  uint64_t state = 0;
  uint64_t revision = 0;
  uint64_t ticks = 0;
  uint64_t late_ticks = 0;
  uint64_t gap_seconds = 0;
  uint64_t missing = 0;
  uint64_t waiting = 0;
  uint64_t skew = 0;
  uint64_t certificate_s = 0;
  uint64_t certificate_life_s = 0;
  uint64_t scored = 0;
  uint64_t unusual = 0;
  uint64_t ticks_due = 0;
  uint64_t ticks_missed = 0;
  uint64_t points_made = 0;
  uint64_t cpu_ms = 0;
};

// `fields`: how many the row has; more than are known come from a newer version.
std::optional<Row> next_row(protowire::Reader& reader, int64_t fields) {
  Row row;
  const std::array<uint64_t*, kFields> known = {&row.agent,
                                                &row.state,
                                                &row.revision,
                                                &row.ticks,
                                                &row.late_ticks,
                                                &row.gap_seconds,
                                                &row.missing,
                                                &row.waiting,
                                                &row.skew,
                                                &row.certificate_s,
                                                &row.certificate_life_s,
                                                &row.scored,
                                                &row.unusual,
                                                &row.ticks_due,
                                                &row.ticks_missed,
                                                &row.points_made,
                                                &row.cpu_ms};
  for (int64_t i = 0; i < fields; ++i) {
    const auto value = reader.varint();
    if (!value) return std::nullopt;
    if (i < kFields) *known[static_cast<size_t>(i)] = *value;
  }
  return row;
}

// The value of a function at a time, for those whose series have one number of a row.
std::optional<double> value_of(std::string_view function, const Row& row, int64_t ms) {
  if (function == "config_revision") return static_cast<double>(row.revision);
  if (function == "gap_seconds") return static_cast<double>(row.gap_seconds);
  if (function == "missing_batches") return static_cast<double>(row.missing);
  if (function == "waiting_batches") return static_cast<double>(row.waiting);
  // Of rows by a version that does not know them, these are 0.
  if (function == "due_ticks" && row.ticks_due > 0) return static_cast<double>(row.ticks_due);
  if (function == "missed_ticks" && row.ticks_due > 0) return static_cast<double>(row.ticks_missed);
  if (function == "made_points" && row.ticks_due > 0) return static_cast<double>(row.points_made);
  if (function == "agent_cpu_seconds" && row.cpu_ms > 0) return static_cast<double>(row.cpu_ms) / 1000;
  if (function == "certificate_seconds" && row.certificate_s > 0) {
    return static_cast<double>(row.certificate_s) - static_cast<double>(ms) / 1000;
  }
  if (function == "certificate_life_seconds" && row.certificate_s > 0)
    return static_cast<double>(row.certificate_life_s);
  if (function == "unusual_fraction" && row.scored > 0) {
    return static_cast<double>(row.unusual) / static_cast<double>(row.scored);
  }
  if (function == "clock_skew_seconds" && row.skew > 0) {
    return static_cast<double>(row.skew >> 1U) / 1000 * ((row.skew & 1U) != 0 ? 1 : -1);
  }
  return std::nullopt;
}

// Builds one function's series of one agent from its rows, in ascending order of time.
class Builder {
 public:
  Builder(std::string_view function, query::Labels labels) : function_(function) {
    if (function_ != "agent_state") {
      series_.push_back({std::move(labels), {}});
      return;
    }
    for (const std::string_view state : kAgentStates) {
      query::Labels with_state = labels;
      with_state.set("state", state);
      series_.push_back({std::move(with_state), {}});
    }
  }

  void add(int64_t ms, int64_t from_ms, const Row& row) {
    if (function_ == "late_fraction") {
      note_ticks(ms, from_ms, row);
      return;
    }
    if (ms < from_ms) return;
    if (function_ != "agent_state") {
      if (const auto value = value_of(function_, row, ms)) add_point(0, ms, *value);
      return;
    }
    for (size_t i = 0; i < series_.size(); ++i) add_point(i, ms, row.state == i ? 1 : 0);
  }

  void move_to(std::vector<query::StoredSeries>& found) {
    for (query::StoredSeries& one : series_) {
      if (!one.points.empty()) found.push_back(std::move(one));
    }
  }

 private:
  struct Ticks {
    int64_t ms = 0;
    uint64_t all = 0;
    uint64_t late = 0;
  };

  void add_point(size_t index, int64_t ms, double value) { series_[index].points.push_back({ms, value}); }

  // The share of late ones among the ticks that came in the last five minutes. No value while none came.
  void note_ticks(int64_t ms, int64_t from_ms, const Row& row) {
    // The ledger forgets old runs: what remains counts from there.
    if (!past_.empty() && (row.ticks < past_.back().all || row.late_ticks < past_.back().late)) past_.clear();
    past_.push_back({ms, row.ticks, row.late_ticks});
    while (past_.size() > 1 && past_[1].ms <= ms - kLateOverNs / kNanosPerMilli) past_.pop_front();
    const uint64_t came = row.ticks - past_.front().all;
    if (ms < from_ms || came == 0) return;
    add_point(0, ms, static_cast<double>(row.late_ticks - past_.front().late) / static_cast<double>(came));
  }

  const std::string_view function_;
  std::vector<query::StoredSeries> series_;
  std::deque<Ticks> past_;
};

}  // namespace

std::string facts_path(const std::string& history_path) { return history_path + "-agents"; }

Result<std::unique_ptr<AgentFactsWriter>> AgentFactsWriter::open(const std::string& path) {
  auto db = sqlite::open_versioned(path, kFacts);
  if (!db) return db.error();
  // Tables that older versions do not know, and leave alone.
  if (auto status = db->exec(kPluginTables); !status) return status.error();
  return std::unique_ptr<AgentFactsWriter>(new AgentFactsWriter(std::move(*db)));
}

Result<int64_t> AgentFactsWriter::number_of(const AgentFacts& facts) {
  auto statement = db_.prepare(
      "INSERT INTO agents(name, host) VALUES(?1, ?2) ON CONFLICT(name, host) DO UPDATE SET host = ?2 RETURNING id");
  if (!statement) return statement.error();
  statement->bind_text(1, facts.agent);
  statement->bind_text(2, facts.host);
  const int rc = statement->step();
  if (rc != SQLITE_ROW) return db_.error(rc, "writing");
  const int64_t number = statement->integer(0);
  (void)statement->step();
  return number;
}

Status AgentFactsWriter::add(int64_t time_ns, std::span<const AgentFacts> facts) {
  const bool all = time_ns - all_ns_ >= kAllEveryNs || time_ns < all_ns_;
  std::string rows;
  for (const AgentFacts& one : facts) {
    auto known = agents_.find(one.agent);
    if (known == agents_.end() || known->second.last.host != one.host) {
      const auto number = number_of(one);
      if (!number) return number.error();
      known = agents_.insert_or_assign(one.agent, Known{.number = *number, .last = {}}).first;
    }
    AgentFacts& last = known->second.last;
    const bool changed = last.agent.empty() || last.state != one.state || last.revision != one.revision ||
                         (last.gap_seconds == 0) != (one.gap_seconds == 0) || last.unusual != one.unusual ||
                         (last.scored == 0) != (one.scored == 0);
    if (!all && !changed) continue;
    put(rows, known->second.number, one);
    last = one;
  }
  if (all) all_ns_ = time_ns;
  if (!all && rows.empty()) return {};
  return insert(time_ns, rows);
}

Status AgentFactsWriter::insert(int64_t time_ns, const std::string& rows) {
  auto add_row = db_.prepare("INSERT OR REPLACE INTO facts(time_ns, rows, fields) VALUES(?1, ?2, ?3)");
  if (!add_row) return add_row.error();
  add_row->bind(1, time_ns);
  add_row->bind_blob(2, rows);
  add_row->bind(3, kFields);
  if (const int rc = add_row->step(); rc != SQLITE_DONE) return db_.error(rc, "writing");
  auto expire = db_.prepare("DELETE FROM facts WHERE time_ns < ?1");
  if (!expire) return expire.error();
  expire->bind(1, time_ns - kKeepNs);
  if (const int rc = expire->step(); rc != SQLITE_DONE) return db_.error(rc, "deleting");
  return {};
}

Result<std::unique_ptr<AgentFactsReader>> AgentFactsReader::open(const std::string& path) {
  auto db = open_for_reading(path);
  if (!db) return db.error();
  return std::unique_ptr<AgentFactsReader>(new AgentFactsReader(std::move(*db)));
}

Result<std::vector<query::StoredSeries>> AgentFactsReader::series(std::string_view function,
                                                                  std::span<const query::Matcher> matchers,
                                                                  int64_t from_ms, int64_t to_ms) {
  if (std::ranges::find(kPluginFunctions, function) != kPluginFunctions.end()) {
    return plugin_series(db_, function, matchers, from_ms, to_ms);
  }
  if (std::ranges::find(kAgentFunctions, function) == kAgentFunctions.end()) {
    return Error(Code::kInvalidArgument, fmt::format("nothing is known of {}()", function));
  }
  const auto version = db_.integer("PRAGMA user_version");
  if (!version) return version.error();
  std::map<uint64_t, Builder> wanted;
  auto agents = db_.prepare("SELECT id, name, host FROM agents");
  if (!agents) return agents.error();
  int rc = agents->step();
  for (; rc == SQLITE_ROW; rc = agents->step()) {
    query::Labels labels;
    labels.set("agent", agents->bytes(1));
    labels.set("host", agents->bytes(2));
    if (matches(matchers, labels)) wanted.try_emplace(static_cast<uint64_t>(agents->integer(0)), function, labels);
  }
  if (rc != SQLITE_DONE) return db_.error(rc, "reading");
  constexpr int64_t kMostMs = INT64_MAX / kNanosPerMilli / 2;
  const int64_t before_ns = kLateOverNs + AgentFactsWriter::kAllEveryNs;
  // A file of version 1 has no column of this name, until the next server opens it.
  auto select = db_.prepare(
      fmt::format("SELECT time_ns, rows, {} FROM facts WHERE time_ns >= ?1 AND time_ns <= ?2 ORDER BY time_ns",
                  *version < 2 ? std::to_string(kFirstFields) : "fields"));
  if (!select) return select.error();
  select->bind(1, std::clamp(from_ms, -kMostMs, kMostMs) * kNanosPerMilli - before_ns);
  select->bind(2, std::clamp(to_ms, -kMostMs, kMostMs) * kNanosPerMilli + kNanosPerMilli - 1);
  for (rc = select->step(); rc == SQLITE_ROW; rc = select->step()) {
    const int64_t ms = select->integer(0) / kNanosPerMilli;
    protowire::Reader reader(select->bytes(1));
    const int64_t fields = std::max<int64_t>(select->integer(2), kFirstFields);
    while (const auto row = next_row(reader, fields)) {
      const auto builder = wanted.find(row->agent);
      if (builder != wanted.end()) builder->second.add(ms, from_ms, *row);
    }
  }
  if (rc != SQLITE_DONE) return db_.error(rc, "reading");
  std::vector<query::StoredSeries> found;
  for (auto& [number, builder] : wanted) builder.move_to(found);
  return found;
}

}  // namespace monitor::analysis::history
