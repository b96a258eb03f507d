#include "views/history/plugin_facts.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "base/protowire.h"
#include "views/history/series_labels.h"

namespace monitor::analysis::history {

namespace {

constexpr int64_t kAllEveryNs = 60 * kNanosPerSecond;
// How many numbers a row has for each plugin; later versions may add some.
constexpr int64_t kFields = 6;

void put(std::string& out, int64_t number, const PluginFacts& facts) {
  for (const uint64_t value : {static_cast<uint64_t>(number), facts.p50_us, facts.p99_us, facts.dropped_ticks,
                               facts.dropped_points, facts.failures}) {
    protowire::put_varint(out, value);
  }
}

struct Row {
  uint64_t plugin = 0;
  std::array<uint64_t, kFields - 1> values = {};
};

std::optional<Row> next_row(protowire::Reader& reader, int64_t fields) {
  Row row;
  for (int64_t i = 0; i < fields; ++i) {
    const auto value = reader.varint();
    if (!value) return std::nullopt;
    if (i == 0) row.plugin = *value;
    if (i > 0 && i < kFields) row.values.at(static_cast<size_t>(i - 1)) = *value;
  }
  return row;
}

// The series that a function has of one plugin: the place of its value in a row, and its label.
struct Line {
  size_t value = 0;
  const char* quantile = "";
};

std::vector<Line> lines_of(std::string_view function) {
  if (function == "plugin_tick_seconds") return {{0, "0.5"}, {1, "0.99"}};
  if (function == "plugin_dropped_ticks") return {{2}};
  if (function == "plugin_dropped_points") return {{3}};
  return {{4}};
}

Result<int64_t> number_of(Database& db, const PluginFacts& facts) {
  auto statement = db.prepare(
      "INSERT INTO plugins(agent, host, plugin) VALUES(?1, ?2, ?3)"
      " ON CONFLICT(agent, host, plugin) DO UPDATE SET plugin = ?3 RETURNING id");
  if (!statement) return statement.error();
  statement->bind_text(1, facts.agent);
  statement->bind_text(2, facts.host);
  statement->bind_text(3, facts.plugin);
  const int rc = statement->step();
  if (rc != SQLITE_ROW) return db.error(rc, "writing");
  const int64_t number = statement->integer(0);
  (void)statement->step();
  return number;
}

Status insert(Database& db, int64_t time_ns, const std::string& rows, int64_t keep_ns) {
  auto add_row = db.prepare("INSERT OR REPLACE INTO plugin_facts(time_ns, rows, fields) VALUES(?1, ?2, ?3)");
  if (!add_row) return add_row.error();
  add_row->bind(1, time_ns);
  add_row->bind_blob(2, rows);
  add_row->bind(3, kFields);
  if (const int rc = add_row->step(); rc != SQLITE_DONE) return db.error(rc, "writing");
  auto expire = db.prepare("DELETE FROM plugin_facts WHERE time_ns < ?1");
  if (!expire) return expire.error();
  expire->bind(1, time_ns - keep_ns);
  if (const int rc = expire->step(); rc != SQLITE_DONE) return db.error(rc, "deleting");
  return {};
}

using Wanted = std::map<uint64_t, std::vector<query::StoredSeries>>;

Result<Wanted> wanted_of(Database& db, const std::vector<Line>& lines, std::span<const query::Matcher> matchers) {
  Wanted wanted;
  auto plugins = db.prepare("SELECT id, agent, host, plugin FROM plugins");
  if (!plugins) return plugins.error();
  int rc = plugins->step();
  for (; rc == SQLITE_ROW; rc = plugins->step()) {
    query::Labels labels;
    labels.set("agent", plugins->bytes(1));
    labels.set("host", plugins->bytes(2));
    if (!matches(matchers, labels)) continue;
    labels.set("plugin", plugins->bytes(3));
    auto& series = wanted[static_cast<uint64_t>(plugins->integer(0))];
    for (const Line& line : lines) {
      series.push_back({labels, {}});
      if (line.quantile[0] != 0) series.back().labels.set("quantile", line.quantile);
    }
  }
  if (rc != SQLITE_DONE) return db.error(rc, "reading");
  return wanted;
}

}  // namespace

const char* const kPluginTables =
    "CREATE TABLE IF NOT EXISTS plugins(id INTEGER PRIMARY KEY AUTOINCREMENT, agent TEXT NOT NULL, host TEXT NOT NULL,"
    " plugin TEXT NOT NULL, UNIQUE(agent, host, plugin));"
    "CREATE TABLE IF NOT EXISTS plugin_facts(time_ns INTEGER PRIMARY KEY, rows BLOB NOT NULL, fields INTEGER NOT "
    "NULL);";

Status PluginFactsWriter::add(Database& db, int64_t time_ns, std::span<const PluginFacts> facts, int64_t keep_ns) {
  const bool all = time_ns - all_ns_ >= kAllEveryNs || time_ns < all_ns_;
  std::string rows;
  for (const PluginFacts& one : facts) {
    const auto [known, fresh] = plugins_.try_emplace({one.agent, one.host, one.plugin});
    if (fresh) {
      const auto number = number_of(db, one);
      if (!number) {
        plugins_.erase(known);
        return number.error();
      }
      known->second.number = *number;
    }
    const bool failed = std::exchange(known->second.failures, one.failures) != one.failures;
    if (all || fresh || failed) put(rows, known->second.number, one);
  }
  if (all) all_ns_ = time_ns;
  return rows.empty() ? Status() : insert(db, time_ns, rows, keep_ns);
}

Result<std::vector<query::StoredSeries>> plugin_series(Database& db, std::string_view function,
                                                       std::span<const query::Matcher> matchers, int64_t from_ms,
                                                       int64_t to_ms) {
  std::vector<query::StoredSeries> found;
  const auto tables = db.integer("SELECT count(*) FROM sqlite_master WHERE name = 'plugin_facts'");
  if (!tables) return tables.error();
  if (*tables == 0) return found;
  const std::vector<Line> lines = lines_of(function);
  auto wanted = wanted_of(db, lines, matchers);
  if (!wanted) return wanted.error();
  constexpr int64_t kMostMs = INT64_MAX / kNanosPerMilli / 2;
  auto select = db.prepare(
      "SELECT time_ns, rows, fields FROM plugin_facts WHERE time_ns >= ?1 AND time_ns <= ?2 ORDER BY time_ns");
  if (!select) return select.error();
  select->bind(1, std::clamp(from_ms, -kMostMs, kMostMs) * kNanosPerMilli);
  select->bind(2, std::clamp(to_ms, -kMostMs, kMostMs) * kNanosPerMilli + kNanosPerMilli - 1);
  int rc = select->step();
  for (; rc == SQLITE_ROW; rc = select->step()) {
    protowire::Reader reader(select->bytes(1));
    while (const auto row = next_row(reader, std::max<int64_t>(select->integer(2), 1))) {
      const auto series = wanted->find(row->plugin);
      for (size_t i = 0; series != wanted->end() && i < lines.size(); ++i) {
        const auto value = static_cast<double>(row->values.at(lines[i].value));
        const bool micros = function == "plugin_tick_seconds";
        series->second[i].points.push_back({select->integer(0) / kNanosPerMilli, micros ? value / 1e6 : value});
      }
    }
  }
  if (rc != SQLITE_DONE) return db.error(rc, "reading");
  for (auto& [number, series] : *wanted) {
    for (query::StoredSeries& one : series) {
      if (!one.points.empty()) found.push_back(std::move(one));
    }
  }
  return found;
}

}  // namespace monitor::analysis::history
