// HistoryReader: answers requests for the history, on its own connection: it sees whole commits and blocks nobody. Not
// thread-safe: use one object per thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "metrics/series.h"
#include "views/history/agents.h"
#include "views/history/database.h"
#include "views/history/resolution.h"

namespace monitor::analysis::history {

struct RangeRequest {
  std::vector<std::string> agents;
  std::string metric;  // shell pattern over names, or over name{label=value,...}; empty: all
  int64_t from_ns = 0;
  int64_t to_ns = 0;  // exclusive
  // Nothing: the finest resolution that gives at most about `points` per series, reaches back far enough, and is not
  // too large.
  std::optional<Resolution> resolution = {};
  size_t points = 600;
  // Limit on the points of all series together; a request beyond it is refused (kResourceExhausted).
  size_t max_points = 2'500'000;
  // Limit on the values that may be decoded for a request; likewise. A request must not delay the next ones for long.
  size_t max_looked_at = 400'000'000;
};

struct RangeSeries {
  std::string agent;
  metrics::Series series;
  std::vector<int64_t> times_ns;  // of a bucket: its start
  std::vector<double> values;     // full: the values; else averages
  std::vector<double> min;        // not for full
  std::vector<double> max;
  std::vector<uint64_t> counts;
};

struct Range {
  Resolution resolution = Resolution::kFull;
  std::vector<RangeSeries> series;  // those with a point in the range
};

struct Extent {
  Resolution resolution = Resolution::kFull;
  int64_t first_ns = 0;
  int64_t last_ns = 0;
};

class HistoryReader {
 public:
  static Result<std::unique_ptr<HistoryReader>> open(const std::string& path);

  // An unknown agent has no series. Errors: kInvalidArgument, kResourceExhausted, those of the disk.
  Result<Range> range(const RangeRequest& request);
  // The extent of an agent's data per resolution; resolutions without data are omitted.
  Result<std::vector<Extent>> extents(const std::string& agent);
  Result<std::vector<metrics::Series>> series(const std::string& agent);
  Result<std::vector<KnownAgent>> agents() { return read_agents(db_); }

 private:
  struct Column {
    metrics::Series series;
    size_t slot = SIZE_MAX;  // index in the result; SIZE_MAX: no point yet
  };
  // By the series numbers in the rows.
  using Columns = std::vector<std::optional<Column>>;

  explicit HistoryReader(Database db) : db_(std::move(db)) {}
  Result<std::optional<int64_t>> id_of(const std::string& agent);
  Result<Columns> columns_of(int64_t id, const std::string& metric);
  Result<std::optional<int64_t>> edge(int64_t id, Resolution resolution, const char* which);
  Result<Resolution> choose(const RangeRequest& request);
  Result<Range> read_all(const RangeRequest& request, Resolution resolution);
  Status check_bounds(const RangeRequest& request) const;
  Status read_points(int64_t id, const std::string& agent, const RangeRequest& request, Columns& columns, Range& range);
  Status read_cells(int64_t id, const std::string& agent, const RangeRequest& request, Columns& columns, Range& range);

  Database db_;
  size_t taken_ = 0;  // points read for the current request
  size_t looked_at_ = 0;
};

// One JSON object; /api/v1/openapi.json describes it.
std::string to_json(const Range& range, const RangeRequest& request, const std::string& live_id);

}  // namespace monitor::analysis::history
