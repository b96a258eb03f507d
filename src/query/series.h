// The samples that a query reads, and the interface of their source.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "query/labels.h"
#include "query/matcher.h"

namespace monitor::query {

struct Point {
  int64_t time_ms = 0;  // since 1970
  double value = 0;

  bool operator==(const Point&) const = default;
};

// In ascending order of time, with at most one point per millisecond.
struct StoredSeries {
  Labels labels;
  std::vector<Point> points;

  size_t bytes() const { return labels.bytes() + sizeof(std::vector<Point>) + points.capacity() * sizeof(Point); }
};

// Prometheus' staleness marker: a value that says that the series has no value from this time on.
inline constexpr uint64_t kStaleBits = 0x7ff0000000000002;
inline bool is_stale(double value) { return std::bit_cast<uint64_t>(value) == kStaleBits; }
inline double stale_marker() { return std::bit_cast<double>(kStaleBits); }

// The source of a query's samples. Implementations may block; a query calls them from one thread.
class SeriesSource {
 public:
  virtual ~SeriesSource() = default;
  // The series that match all the conditions, with their points from `from_ms` to `to_ms`, both inclusive. No two
  // series have the same labels. Errors end the query and reach its user.
  virtual Result<std::vector<StoredSeries>> select(std::span<const Matcher> matchers, int64_t from_ms,
                                                   int64_t to_ms) = 0;
  // Bounds the memory of the series of each later call, which fails with kResourceExhausted beyond it. Sources that
  // hold their series in memory may ignore it.
  virtual void limit_bytes(size_t /*bytes*/) {}
  // The same for the series of one of this program's own functions, such as "agent_state". The metric has no name; of
  // "unusual", it has that of the series whose scores the points are. The default, for sources without data about
  // agents, returns an error.
  virtual Result<std::vector<StoredSeries>> own_series(std::string_view function, std::span<const Matcher> matchers,
                                                       int64_t from_ms, int64_t to_ms);
};

}  // namespace monitor::query
