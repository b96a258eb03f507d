#include "views/history/query.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <bit>
#include <cmath>

#include "views/history/codec.h"

namespace monitor::analysis::history {

namespace {

// The cost of a row besides its values.
constexpr size_t kRowCost = 16;

RangeSeries& slot_of(Range& range, const std::string& agent, size_t& slot, const metrics::Series& series) {
  if (slot == SIZE_MAX) {
    slot = range.series.size();
    range.series.push_back(
        {.agent = agent, .series = series, .times_ns = {}, .values = {}, .min = {}, .max = {}, .counts = {}});
  }
  return range.series[slot];
}

double value_of(const PackedPoint& point, double scale) {
  return point.integer ? static_cast<double>(static_cast<int64_t>(point.bits)) * scale
                       : std::bit_cast<double>(point.bits);
}

// Dividing by a power of ten is exact to the last digit; multiplying by 0.0001 is not.
double scaled(double value, const metrics::Series& series) {
  if (!series.integer) return value;
  const double power = metrics::power_of_ten(std::abs(series.exponent));
  return series.exponent < 0 ? value / power : value * power;
}

// Adds a point to the last bucket, which starts at `begin` or before it.
void add_to_bucket(RangeSeries& out, int64_t begin, double value) {
  if (std::isnan(value)) return;
  if (out.times_ns.empty() || out.times_ns.back() != begin) {
    out.times_ns.push_back(begin);
    out.values.push_back(value);  // sums, until finish()
    out.min.push_back(value);
    out.max.push_back(value);
    out.counts.push_back(1);
    return;
  }
  out.values.back() += value;
  out.min.back() = std::min(out.min.back(), value);
  out.max.back() = std::max(out.max.back(), value);
  ++out.counts.back();
}

// Converts the series' integers to values, and sums to averages.
void finish(RangeSeries& out, bool reduced) {
  for (size_t i = 0; i < out.values.size(); ++i) {
    if (!reduced) {
      out.values[i] = scaled(out.values[i], out.series);
      continue;
    }
    out.values[i] = scaled(out.values[i] / static_cast<double>(out.counts[i]), out.series);
    out.min[i] = scaled(out.min[i], out.series);
    out.max[i] = scaled(out.max[i], out.series);
  }
}

}  // namespace

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

Result<HistoryReader::Columns> HistoryReader::columns_of(int64_t id, const std::string& metric) {
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
    if (!metrics::selects(metric, series)) continue;
    series.unit = select->bytes(3);
    series.kind = select->integer(4) != 0 ? metrics::Kind::kCounter : metrics::Kind::kGauge;
    series.integer = select->integer(5) != 0;
    series.exponent = static_cast<int>(select->integer(6));
    const auto number = static_cast<size_t>(select->integer(0));
    if (number >= columns.size()) columns.resize(number + 1);
    columns[number] = Column{.series = std::move(series)};
  }
  if (rc != SQLITE_DONE) return db_.error(rc, "reading");
  return columns;
}

Result<std::optional<int64_t>> HistoryReader::edge(int64_t id, Resolution resolution, const char* which) {
  const bool full = width_ns(resolution) < width_ns(kReduced[0]);
  auto select = db_.prepare(full ? fmt::format("SELECT {}(time_ns) FROM points WHERE agent = ?1", which)
                                 : fmt::format("SELECT {}(bucket) FROM reduced WHERE width = {} AND agent = ?1", which,
                                               width_ns(resolution)));
  if (!select) return select.error();
  select->bind(1, id);
  const int rc = select->step();
  if (rc != SQLITE_ROW) return db_.error(rc, "reading");
  return select->bytes(0).empty() ? std::optional<int64_t>() : std::optional(select->integer(0));
}

Result<std::vector<Extent>> HistoryReader::extents(const std::string& agent) {
  std::vector<Extent> found;
  const auto id = id_of(agent);
  if (!id) return id.error();
  if (!*id) return found;
  for (const Resolution resolution : kResolutions) {
    const auto first = edge(**id, resolution, "min");
    const auto last = edge(**id, resolution, "max");
    if (!first || !last) return first ? last.error() : first.error();
    if (*first && *last) found.push_back({resolution, **first, **last});
  }
  return found;
}

Result<std::vector<metrics::Series>> HistoryReader::series(const std::string& agent) {
  std::vector<metrics::Series> found;
  const auto id = id_of(agent);
  if (!id) return id.error();
  if (!*id) return found;
  auto columns = columns_of(**id, "");
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
      const auto first = edge(**id, kResolutions[at], "min");
      const auto coarser = edge(**id, at == 0 ? kReduced[0] : kResolutions[at + 1], "min");
      if (!first || !coarser) return first ? coarser.error() : first.error();
      const int64_t slack = 2 * width_ns(at == 0 ? kReduced[0] : kResolutions[at + 1]);
      const int64_t wanted = request.from_ns + slack;
      reaches = !*coarser || (*first && (**first <= wanted || **first <= **coarser + slack));
    }
    if (reaches) return kResolutions[at];
    if (at == 0) ++at;  // those of a second are computed from the same rows
  }
  return kResolutions[at];
}

Result<Range> HistoryReader::range(const RangeRequest& request) {
  if (request.from_ns >= request.to_ns) return Error(Code::kInvalidArgument, "from: must be before to");
  if (auto status = db_.exec("BEGIN"); !status) return status.error();
  struct End {
    Database& db;
    ~End() { (void)db.exec("COMMIT"); }
  } const end{db_};
  if (request.resolution) return read_all(request, *request.resolution);
  auto chosen = choose(request);
  if (!chosen) return chosen.error();
  // Without a requested resolution, falls back to coarser ones until the result fits.
  while (true) {
    auto found = read_all(request, *chosen);
    if (found || found.error().code() != Code::kResourceExhausted || *chosen == kResolutions.back()) return found;
    const bool from_points = width_ns(*chosen) < width_ns(kReduced[0]);
    chosen = from_points ? kReduced[0] : kResolutions[static_cast<size_t>(*chosen) + 1];
  }
}

Result<Range> HistoryReader::read_all(const RangeRequest& request, Resolution resolution) {
  Range range;
  range.resolution = resolution;
  const bool from_points = width_ns(resolution) < width_ns(kReduced[0]);
  taken_ = looked_at_ = 0;
  for (const std::string& agent : request.agents) {
    const auto id = id_of(agent);
    if (!id) return id.error();
    if (!*id) continue;
    auto columns = columns_of(**id, request.metric);
    if (!columns) return columns.error();
    if (columns->empty()) continue;
    const Status read = from_points ? read_points(**id, agent, request, *columns, range)
                                    : read_cells(**id, agent, request, *columns, range);
    if (!read) return read.error();
  }
  for (RangeSeries& one : range.series) finish(one, range.resolution != Resolution::kFull);
  return range;
}

Status HistoryReader::check_bounds(const RangeRequest& request) const {
  constexpr const char* kAdvice = "request less time, fewer agents or metrics, or a coarser resolution";
  if (taken_ > request.max_points) {
    return Error(Code::kResourceExhausted,
                 fmt::format("the range holds more than {} points; {}", request.max_points, kAdvice));
  }
  if (looked_at_ > request.max_looked_at) {
    return Error(Code::kResourceExhausted,
                 fmt::format("the request would have to read more than {} values; {}", request.max_looked_at, kAdvice));
  }
  return {};
}

Status HistoryReader::read_points(int64_t id, const std::string& agent, const RangeRequest& request, Columns& columns,
                                  Range& range) {
  auto select = db_.prepare(
      "SELECT time_ns, points FROM points WHERE agent = ?1 AND time_ns >= ?2 AND time_ns < ?3 ORDER BY time_ns, n");
  if (!select) return select.error();
  select->bind(1, id);
  select->bind(2, request.from_ns);
  select->bind(3, request.to_ns);
  const int64_t width = width_ns(range.resolution);
  int rc = select->step();
  for (; rc == SQLITE_ROW; rc = select->step()) {
    const int64_t time = select->integer(0);
    PointReader reader(select->bytes(1));
    looked_at_ += kRowCost;
    while (const auto point = reader.next()) {
      ++looked_at_;
      if (point->index >= columns.size() || !columns[point->index]) continue;
      Column& column = *columns[point->index];
      RangeSeries& out = slot_of(range, agent, column.slot, column.series);
      const double value = value_of(*point, 1);
      const size_t before = out.times_ns.size();
      if (width > 0) {
        add_to_bucket(out, bucket_of(time, width), value);
      } else {
        out.times_ns.push_back(time);
        out.values.push_back(value);
      }
      taken_ += out.times_ns.size() - before;
    }
    if (Status bounds = check_bounds(request); !bounds) return bounds;
  }
  return rc == SQLITE_DONE ? Status() : db_.error(rc, "reading");
}

Status HistoryReader::read_cells(int64_t id, const std::string& agent, const RangeRequest& request, Columns& columns,
                                 Range& range) {
  auto select = db_.prepare(
      "SELECT bucket, cells FROM reduced WHERE width = ?1 AND agent = ?2 AND bucket >= ?3 AND bucket < ?4 "
      "ORDER BY bucket");
  if (!select) return select.error();
  const int64_t width = width_ns(range.resolution);
  select->bind(1, width);
  select->bind(2, id);
  // Includes the bucket in which the range starts.
  select->bind(3, bucket_of(request.from_ns, width));
  select->bind(4, request.to_ns);
  int rc = select->step();
  for (; rc == SQLITE_ROW; rc = select->step()) {
    const int64_t time = select->integer(0);
    CellReader reader(select->bytes(1));
    looked_at_ += kRowCost;
    while (const auto cell = reader.next()) {
      ++looked_at_;
      if (cell->index >= columns.size() || !columns[cell->index]) continue;
      Column& column = *columns[cell->index];
      RangeSeries& out = slot_of(range, agent, column.slot, column.series);
      out.times_ns.push_back(time);
      out.values.push_back(cell->cell.sum);
      out.min.push_back(cell->cell.min);
      out.max.push_back(cell->cell.max);
      out.counts.push_back(cell->cell.count);
      ++taken_;
    }
    if (Status bounds = check_bounds(request); !bounds) return bounds;
  }
  return rc == SQLITE_DONE ? Status() : db_.error(rc, "reading");
}

}  // namespace monitor::analysis::history
