// HistoryReader: answers requests for the history, on its own connection: it sees whole commits and blocks nobody. Not
// thread-safe: use one object per thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/series.h"
#include "views/history/agents.h"
#include "views/history/block_reader.h"
#include "views/history/database.h"
#include "views/history/range.h"
#include "views/history/resolution.h"

namespace monitor::analysis::history {

struct RangeRequest {
  std::vector<std::string> agents;
  std::string metric;  // shell pattern over names, or over name{label=value,...}; empty: all
  // In addition to `metric`; nothing: all.
  std::function<bool(const metrics::Series&)> selects = {};
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

struct Extent {
  Resolution resolution = Resolution::kFull;
  int64_t first_ns = 0;
  int64_t last_ns = 0;
};

class HistoryReader {
 public:
  static Result<std::unique_ptr<HistoryReader>> open(const std::string& path);

  // Runs several requests on the same state of the file, and faster than each for itself.
  Status together(const std::function<Status()>& requests);

  // An unknown agent has no series. Errors: kInvalidArgument, kResourceExhausted, those of the disk; kDataLoss for
  // damaged bytes, kFailedPrecondition if a newer version wrote the file.
  Result<Range> range(const RangeRequest& request);
  // The same as JSON (range_json.h). Beside the text, it needs the memory for one agent's values only.
  Result<std::string> range_json(const RangeRequest& request, const std::string& live_id);
  // The extent of an agent's data per resolution; resolutions without data are omitted.
  Result<std::vector<Extent>> extents(const std::string& agent);
  Result<std::vector<metrics::Series>> series(const std::string& agent);
  Result<std::vector<KnownAgent>> agents() { return read_agents(db_); }

 private:
  struct Edges {
    std::optional<int64_t> first;
    std::optional<int64_t> last;
    void add(int64_t time_ns);
  };

  explicit HistoryReader(Database db) : db_(std::move(db)), blocks_(db_) {}
  Result<std::optional<int64_t>> id_of(const std::string& agent);
  Result<Columns> columns_of(int64_t id, const RangeRequest& request);
  // The times of the first and the last tick, or bucket.
  Result<Edges> edges(int64_t id, Resolution resolution);
  Status add_edges(Edges& edges, std::string_view sql, int64_t id);
  Result<bool> reaches_back(int64_t id, size_t at, int64_t from_ns);
  Result<Resolution> choose(const RangeRequest& request);
  // Calls `read` with the request's resolution, or with coarser ones until the result fits.
  Status with_resolution(const RangeRequest& request, const std::function<Status(Resolution)>& read);
  RangeBuilder builder(const RangeRequest& request, Resolution resolution) const;
  // Calls `done` after each agent that has series.
  Status read_each(const RangeRequest& request, RangeBuilder& range, const std::function<void()>& done);
  Status read_old_ticks(int64_t id, RangeBuilder& range);
  Status read_newest(int64_t id, RangeBuilder& range);
  Status read_cells(int64_t id, RangeBuilder& range);
  Status begin();
  int64_t kept_from(Resolution resolution) const;

  Database db_;
  BlockReader blocks_;
  bool in_snapshot_ = false;
  bool has_blocks_ = true;                            // false: a file of version 1
  std::map<std::string, int64_t, std::less<>> kept_;  // by resolution: what is older has expired
};

// One JSON object; /api/ui/v1/openapi.json describes it.
std::string to_json(const Range& range, const RangeRequest& request, const std::string& live_id);

}  // namespace monitor::analysis::history
