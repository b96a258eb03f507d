// HistoryReader: answers questions about the history, on a connection of its own: it sees whole commits, and is in
// nobody's way. One thread an object.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "metrics/series.h"
#include "views/history/database.h"
#include "views/history/resolution.h"

namespace monitor::analysis::history {

struct RangeRequest {
  std::vector<std::string> agents;
  std::string metric;  // shell pattern over names, or over name{label=value,...}; empty: all
  int64_t from_ns = 0;
  int64_t to_ns = 0;  // not included
  // Nothing: the finest that gives at most about `points` a series, that reaches back far enough, and that is not too
  // much.
  std::optional<Resolution> resolution = {};
  size_t points = 600;
  // Of all series together; beyond it the request is refused (kResourceExhausted).
  size_t max_points = 2'500'000;
  // Values that may be decoded on the way to them, likewise: an answer must not hold up the next ones for long.
  size_t max_looked_at = 400'000'000;
};

struct RangeSeries {
  std::string agent;
  metrics::Series series;
  std::vector<int64_t> times_ns;  // of a bucket: its beginning
  std::vector<double> values;     // full: as they came; else averages
  std::vector<double> min;        // not of full
  std::vector<double> max;
  std::vector<uint64_t> counts;
};

struct Range {
  Resolution resolution = Resolution::kFull;
  std::vector<RangeSeries> series;  // those that have a point in it
};

struct Extent {
  Resolution resolution = Resolution::kFull;
  int64_t first_ns = 0;
  int64_t last_ns = 0;
};

class HistoryReader {
 public:
  static Result<std::unique_ptr<HistoryReader>> open(const std::string& path);

  // An agent that is not known has no series. Errors: kInvalidArgument, kResourceExhausted, the disk's.
  Result<Range> range(const RangeRequest& request);
  // What there is of an agent, by resolution; those without any are left out.
  Result<std::vector<Extent>> extents(const std::string& agent);
  Result<std::vector<metrics::Series>> series(const std::string& agent);

 private:
  struct Column {
    metrics::Series series;
    size_t slot = SIZE_MAX;  // in the result; SIZE_MAX: no point yet
  };
  // By the numbers that rows name.
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
  size_t taken_ = 0;  // points of the request
  size_t looked_at_ = 0;
};

// One JSON object; docs/api says what is in it.
std::string to_json(const Range& range, const RangeRequest& request, const std::string& live_id);

}  // namespace monitor::analysis::history
