// Samples as a query sees them, and where they come from.
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

// Ascending in time, at most one point a millisecond.
struct StoredSeries {
  Labels labels;
  std::vector<Point> points;

  size_t bytes() const { return labels.bytes() + sizeof(points) + points.capacity() * sizeof(Point); }
};

// The value that ends a series: from this moment on it has none (Prometheus' staleness marker).
inline constexpr uint64_t kStaleBits = 0x7ff0000000000002;
inline bool is_stale(double value) { return std::bit_cast<uint64_t>(value) == kStaleBits; }
inline double stale_marker() { return std::bit_cast<double>(kStaleBits); }

// Where a query finds samples. Implementations may block; a query calls from one thread.
class SeriesSource {
 public:
  virtual ~SeriesSource() = default;
  // The series that match all the conditions, with their points from `from_ms` to `to_ms`, both inclusive. No two
  // series have the same labels. Errors end the query and reach its user.
  virtual Result<std::vector<StoredSeries>> select(std::span<const Matcher> matchers, int64_t from_ms,
                                                   int64_t to_ms) = 0;
  // How much memory the series of the next calls may take; beyond it, they end with kResourceExhausted. Sources whose
  // series are in memory anyway may ignore it.
  virtual void limit_bytes(size_t /*bytes*/) {}
  // The series of a function of this program's own, such as "agent_state", likewise. The metric has no name. Sources
  // that know nothing of agents give the error that stands here.
  virtual Result<std::vector<StoredSeries>> own_series(std::string_view function, std::span<const Matcher> matchers,
                                                       int64_t from_ms, int64_t to_ms);
};

}  // namespace monitor::query
