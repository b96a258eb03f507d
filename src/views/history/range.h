// The answer to a request for a range of the history, and how it is put together. Not thread-safe.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "metrics/series.h"
#include "views/history/block.h"
#include "views/history/codec.h"
#include "views/history/resolution.h"

namespace monitor::analysis::history {

struct RangeSeries {
  std::string agent;
  metrics::Series series;
  std::vector<int64_t> times_ns;  // ascending; of a bucket: its start
  std::vector<double> values;     // full: the values; else averages
  std::vector<double> min;        // not for full
  std::vector<double> max;
  std::vector<uint64_t> counts;
};

struct Range {
  Resolution resolution = Resolution::kFull;
  std::vector<RangeSeries> series;  // those with a point in the range
};

// A series that a request selects.
struct Column {
  metrics::Series series;
  size_t slot = SIZE_MAX;  // index in the result; SIZE_MAX: no point yet
};
// By the series' numbers.
using Columns = std::vector<std::optional<Column>>;

struct RangeLimits {
  size_t points = 0;     // of the result
  size_t looked_at = 0;  // decoded values
};

// Collects the values of one agent after another, in any order of time. Values are of the times from `from_ns` to
// `to_ns`, exclusive; of a bucket's start, in which case a range that starts in a bucket has the whole bucket.
class RangeBuilder {
 public:
  RangeBuilder(Resolution resolution, int64_t from_ns, int64_t to_ns, RangeLimits limits);

  void start_agent(const std::string& name, Columns columns);
  const Columns& columns() const { return columns_; }
  int64_t from_ns() const { return from_ns_; }
  int64_t to_ns() const { return to_ns_; }
  Resolution resolution() const { return range_.resolution; }
  // The time at which a tick is in the result: its own, or the start of its bucket of a reduced resolution.
  int64_t start_of(int64_t time_ns) const { return from_ticks(resolution()) ? time_ns : bucket_of(time_ns, width_ns_); }

  void add_tick(int64_t time_ns, std::string_view points);
  void add_values(uint32_t number, std::span<const int64_t> times, const BlockColumn& values);
  void add_cell(int64_t begin_ns, const IndexedCell& cell);
  // How many points a series will probably have; only to make room at once, and not for too many.
  void expect(size_t points) { expected_ = std::min(points, kMostExpected); }
  // Counts the reading of a row with so many values; kResourceExhausted beyond a limit.
  Status count_row(size_t values);

  // Ends the collection of an agent, for a caller that wants one agent at a time: its series, valid until drop_agent(),
  // which must be called before the next one starts.
  std::span<const RangeSeries> finish_agent();
  void drop_agent();
  // Ends the collection.
  Range finish();

 private:
  RangeSeries& slot_of(Column& column);
  Column* selected(uint32_t number);
  void append(RangeSeries& out, int64_t time_ns, double value);
  void add_to_bucket(RangeSeries& out, int64_t begin_ns, const Cell& cell);

  const int64_t width_ns_;
  const int64_t from_ns_;
  const int64_t to_ns_;
  const RangeLimits limits_;
  Range range_;
  std::string agent_;
  Columns columns_;
  static constexpr size_t kMostExpected = 100'000;
  size_t expected_ = 0;
  size_t taken_ = 0;
  size_t looked_at_ = 0;
  std::vector<RangeSeries> spare_;  // to use their memory again
};

}  // namespace monitor::analysis::history
