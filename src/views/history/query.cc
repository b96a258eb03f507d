#include "views/history/query.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

#include "views/history/codec.h"
#include "views/history/range_json.h"

namespace monitor::analysis::history {

Result<std::unique_ptr<HistoryReader>> HistoryReader::open(const std::string& path) {
  auto db = open_for_reading(path);
  if (!db) return db.error();
  return std::unique_ptr<HistoryReader>(new HistoryReader(std::move(*db)));
}

Result<std::optional<int64_t>> HistoryReader::id_of(const std::string& agent) {
  auto select = db_.prepare("SELECT id FROM agents WHERE name = ?1");
  if (!select) return select.error();
  select->bind_text(1, agent);
  const int rc = select->step();
  if (rc == SQLITE_DONE) return std::optional<int64_t>();
  if (rc != SQLITE_ROW) return db_.error(rc, "reading");
  return std::optional(select->integer(0));
}

Result<Columns> HistoryReader::columns_of(int64_t id, const RangeRequest& request) {
  auto select =
      db_.prepare("SELECT idx, name, labels, unit, counter, is_integer, exponent FROM series WHERE agent = ?1");
  if (!select) return select.error();
  select->bind(1, id);
  Columns columns;
  int rc = select->step();
  for (; rc == SQLITE_ROW; rc = select->step()) {
    metrics::Series series{.name = std::string(select->bytes(1)), .labels = {}};
    const auto labels = nlohmann::ordered_json::parse(select->bytes(2), nullptr, false);
    for (const auto& [name, value] : labels.items()) series.labels.emplace_back(name, value.get<std::string>());
    if (!metrics::selects(request.metric, series)) continue;
    series.unit = select->bytes(3);
    series.kind = select->integer(4) != 0 ? metrics::Kind::kCounter : metrics::Kind::kGauge;
    series.integer = select->integer(5) != 0;
    series.exponent = static_cast<int>(select->integer(6));
    if (request.selects && !request.selects(series)) continue;
    const auto number = static_cast<size_t>(select->integer(0));
    if (number >= columns.size()) columns.resize(number + 1);
    columns[number] = Column{.series = std::move(series)};
  }
  if (rc != SQLITE_DONE) return db_.error(rc, "reading");
  return columns;
}

void HistoryReader::Edges::add(int64_t time_ns) {
  first = std::min(first.value_or(time_ns), time_ns);
  last = std::max(last.value_or(time_ns), time_ns);
}

Status HistoryReader::add_edges(Edges& edges, std::string_view sql, int64_t id) {
  auto select = db_.prepare(sql);
  if (!select) return select.error();
  select->bind(1, id);
  const int rc = select->step();
  if (rc != SQLITE_ROW) return db_.error(rc, "reading");
  if (select->bytes(0).empty()) return {};  // null: there are no rows
  edges.add(select->integer(0));
  edges.add(select->integer(1));
  return {};
}

Result<HistoryReader::Edges> HistoryReader::edges(int64_t id, Resolution resolution) {
  Edges found;
  const bool full = from_ticks(resolution);
  const auto add = [&](const std::string& sql) { return add_edges(found, sql, id); };
  if (full) {
    if (auto status = add("SELECT min(time_ns), max(time_ns) FROM points WHERE agent = ?1"); !status) {
      return status.error();
    }
  } else if (auto status = add(fmt::format(
                 "SELECT min(bucket), max(bucket) FROM reduced WHERE width = {} AND agent = ?1", width_ns(resolution)));
             !status) {
    return status.error();
  }
  if (!has_blocks_) return found;
  for (const char* const which : {"min", "max"}) {
    if (!full) break;
    const Status status =
        add(fmt::format("SELECT min(first_ns), max(last_ns) FROM blocks WHERE agent = ?1 AND begin_ns = "
                        "(SELECT {}(begin_ns) FROM blocks WHERE agent = ?1)",
                        which));
    if (!status) return status.error();
  }
  const auto open = blocks_.open_ticks(id);
  if (!open) return open.error();
  if (!open->empty()) {
    const auto edge = [&](const OpenTick& tick) {
      return full ? tick.time_ns : bucket_of(tick.time_ns, width_ns(resolution));
    };
    found.add(edge(open->front()));
    found.add(edge(open->back()));
  }
  if (found.first) found.first = std::max(*found.first, kept_from(resolution));
  return found;
}

Result<std::vector<Extent>> HistoryReader::extents(const std::string& agent) {
  std::vector<Extent> found;
  const Status read = together([&]() -> Status {
    const auto id = id_of(agent);
    if (!id) return id.error();
    if (!*id) return {};
    for (const Resolution resolution : kResolutions) {
      const auto its = edges(**id, resolution);
      if (!its) return its.error();
      if (its->first && its->last) found.push_back({resolution, *its->first, *its->last});
    }
    return {};
  });
  if (!read) return read.error();
  return found;
}

Result<std::vector<metrics::Series>> HistoryReader::series(const std::string& agent) {
  std::vector<metrics::Series> found;
  const auto id = id_of(agent);
  if (!id) return id.error();
  if (!*id) return found;
  auto columns = columns_of(**id, {});
  if (!columns) return columns.error();
  for (auto& column : *columns) {
    if (column) found.push_back(std::move(column->series));
  }
  return found;
}

// Chooses full if it fits, else the finest resolution that fits. If that one no longer reaches back to the start of the
// data, a coarser one is used that does.
Result<Resolution> HistoryReader::choose(const RangeRequest& request) {
  const double span = static_cast<double>(request.to_ns) - static_cast<double>(request.from_ns);
  // Twice as many points as requested are better than far too few.
  const double width = span / static_cast<double>(std::max<size_t>(request.points, 1)) / 2;
  size_t at = 0;
  if (width > static_cast<double>(kNanosPerSecond)) {
    at = 2;
    while (at + 1 < kResolutions.size() && static_cast<double>(width_ns(kResolutions[at])) < width) ++at;
  }
  for (; at + 1 < kResolutions.size(); ++at) {
    bool reaches = true;
    for (size_t i = 0; i < request.agents.size() && i < 20 && reaches; ++i) {
      const auto id = id_of(request.agents[i]);
      if (!id) return id.error();
      if (!*id) continue;
      const auto one = reaches_back(**id, at, request.from_ns);
      if (!one) return one.error();
      reaches = *one;
    }
    if (reaches) return kResolutions[at];
    if (at == 0) ++at;  // those of a second are computed from the same rows
  }
  return kResolutions[at];
}

// Whether an agent's data of a resolution reaches back as far as wanted, or as far as the next coarser one.
Result<bool> HistoryReader::reaches_back(int64_t id, size_t at, int64_t from_ns) {
  const Resolution next = at == 0 ? kReduced[0] : kResolutions[at + 1];
  const auto its = edges(id, kResolutions[at]);
  const auto coarser = edges(id, next);
  if (!its || !coarser) return its ? coarser.error() : its.error();
  const int64_t slack = 2 * width_ns(next);
  if (!coarser->first) return true;
  return its->first && (*its->first <= from_ns + slack || *its->first <= *coarser->first + slack);
}

Status HistoryReader::begin() {
  if (auto status = db_.exec("BEGIN"); !status) return status;
  const auto version = file_version(db_);
  if (!version) return version.error();
  has_blocks_ = *version >= 2;
  kept_.clear();
  if (!has_blocks_) return {};
  auto select = db_.prepare("SELECT name, from_ns FROM kept");
  if (!select) return select.error();
  int rc = select->step();
  for (; rc == SQLITE_ROW; rc = select->step()) kept_.emplace(select->bytes(0), select->integer(1));
  return rc == SQLITE_DONE ? Status() : db_.error(rc, "reading");
}

int64_t HistoryReader::kept_from(Resolution resolution) const {
  const auto found = kept_.find(to_string(resolution == Resolution::kSecond ? Resolution::kFull : resolution));
  return found == kept_.end() ? INT64_MIN : found->second;
}

Status HistoryReader::together(const std::function<Status()>& requests) {
  if (in_snapshot_) return requests();
  Status status = begin();
  in_snapshot_ = true;
  if (status) status = requests();
  in_snapshot_ = false;
  blocks_.forget();
  (void)db_.exec("COMMIT");
  return status;
}

Result<Range> HistoryReader::range(const RangeRequest& request) {
  Range range;
  const Status read = with_resolution(request, [&](Resolution resolution) {
    RangeBuilder found = builder(request, resolution);
    Status status = read_each(request, found, [] {});
    range = found.finish();
    return status;
  });
  if (!read) return read.error();
  return range;
}

Result<std::string> HistoryReader::range_json(const RangeRequest& request, const std::string& live_id) {
  std::string out;
  const Status read = with_resolution(request, [&](Resolution resolution) {
    RangeBuilder found = builder(request, resolution);
    RangeJson json(request, resolution, live_id);
    Status status = read_each(request, found, [&] {
      json.add(found.finish_agent());
      found.drop_agent();
    });
    out = json.finish();
    return status;
  });
  if (!read) return read.error();
  return out;
}

Status HistoryReader::with_resolution(const RangeRequest& request, const std::function<Status(Resolution)>& read) {
  if (request.from_ns >= request.to_ns) return Error(Code::kInvalidArgument, "from: must be before to");
  return together([&]() -> Status {
    if (request.resolution) return read(*request.resolution);
    auto chosen = choose(request);
    if (!chosen) return chosen.error();
    while (true) {
      Status status = read(*chosen);
      const bool too_large = !status && status.error().code() == Code::kResourceExhausted;
      if (!too_large || *chosen == kResolutions.back()) return status;
      chosen = from_ticks(*chosen) ? kReduced[0] : kResolutions[static_cast<size_t>(*chosen) + 1];
    }
  });
}

RangeBuilder HistoryReader::builder(const RangeRequest& request, Resolution resolution) const {
  const int64_t from = from_ticks(resolution) ? std::max(request.from_ns, kept_from(resolution)) : request.from_ns;
  return {resolution, from, request.to_ns, {.points = request.max_points, .looked_at = request.max_looked_at}};
}

Status HistoryReader::read_each(const RangeRequest& request, RangeBuilder& range, const std::function<void()>& done) {
  const bool ticks = from_ticks(range.resolution());
  for (const std::string& agent : request.agents) {
    const auto id = id_of(agent);
    if (!id) return id.error();
    if (!*id) continue;
    auto columns = columns_of(**id, request);
    if (!columns) return columns.error();
    if (columns->empty()) continue;
    range.start_agent(agent, std::move(*columns));
    Status read = ticks ? read_old_ticks(**id, range) : read_cells(**id, range);
    if (read && ticks && has_blocks_) read = blocks_.read_blocks(**id, range);
    if (read && has_blocks_) read = read_newest(**id, range);
    if (!read) return read;
    done();
  }
  return {};
}

// Ticks that version 1 of the file wrote.
Status HistoryReader::read_old_ticks(int64_t id, RangeBuilder& range) {
  auto select = db_.prepare(
      "SELECT time_ns, points FROM points WHERE agent = ?1 AND time_ns >= ?2 AND time_ns < ?3 ORDER BY time_ns, n");
  if (!select) return select.error();
  select->bind(1, id);
  select->bind(2, range.from_ns());
  select->bind(3, range.to_ns());
  int rc = select->step();
  for (; rc == SQLITE_ROW; rc = select->step()) {
    range.add_tick(select->integer(0), select->bytes(1));
    if (Status bounds = range.count_row(0); !bounds) return bounds;
  }
  return rc == SQLITE_DONE ? Status() : db_.error(rc, "reading");
}

// The reduced rows do not contain the open ticks.
Status HistoryReader::read_newest(int64_t id, RangeBuilder& range) {
  const auto ticks = blocks_.open_ticks(id);
  if (!ticks) return ticks.error();
  const int64_t from = std::max(range.from_ns(), kept_from(range.resolution()));
  for (const OpenTick& tick : *ticks) {
    const int64_t start = range.start_of(tick.time_ns);
    if (start < from || start >= range.to_ns()) continue;
    range.add_tick(tick.time_ns, tick.points);
    if (Status bounds = range.count_row(0); !bounds) return bounds;
  }
  return {};
}

Status HistoryReader::read_cells(int64_t id, RangeBuilder& range) {
  auto select = db_.prepare(
      "SELECT bucket, cells FROM reduced WHERE width = ?1 AND agent = ?2 AND bucket >= ?3 AND bucket < ?4 "
      "ORDER BY bucket");
  if (!select) return select.error();
  select->bind(1, width_ns(range.resolution()));
  select->bind(2, id);
  select->bind(3, range.from_ns());
  select->bind(4, range.to_ns());
  int rc = select->step();
  for (; rc == SQLITE_ROW; rc = select->step()) {
    const int64_t begin = select->integer(0);
    CellReader reader(select->bytes(1));
    while (const auto cell = reader.next()) range.add_cell(begin, *cell);
    if (Status bounds = range.count_row(0); !bounds) return bounds;
  }
  return rc == SQLITE_DONE ? Status() : db_.error(rc, "reading");
}

}  // namespace monitor::analysis::history
