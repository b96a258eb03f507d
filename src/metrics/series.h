// Series and points, which collectors produce and plugins change.
//
// A series has a name, labels, unit and value type. A SeriesTable assigns it a small number, and a point is that number
// with a value: 16 bytes in a fixed layout, which plugins and the plugin host share. An integer series has the value
// integer x 10^exponent, which is exact and compact.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace monitor::metrics {

// Sorted by key, each key once.
using Labels = std::vector<std::pair<std::string, std::string>>;

enum class Kind : uint8_t { kGauge = 0, kCounter = 1 };

struct Series {
  std::string name;
  Labels labels;
  std::string unit;  // UCUM
  Kind kind = Kind::kGauge;
  bool integer = false;
  int exponent = 0;  // of an integer series

  bool operator==(const Series&) const = default;
};

// "system.disk.io.rate{disk.io.direction=read}"
std::string to_string(const Series& series);
// The identity of a series as one string. Each part is preceded by its length, so that different series differ.
std::string identity(const Series& series);
// Whether a family name or a shell pattern selects the series, by name or by to_string(). Empty: selects all.
bool selects(std::string_view pattern, const Series& series);
// The value of a label; empty if there is none.
std::string_view label_value(const Labels& labels, std::string_view key);
void set_label(Labels& labels, std::string_view key, std::string_view value);

using SeriesId = uint32_t;

struct Point {
  SeriesId series = 0;
  uint32_t reserved = 0;
  union {
    int64_t integer = 0;  // of an integer series
    double real;          // of a double series
  };
};
static_assert(sizeof(Point) == 16);

// 10^exponent, for exponents of series (-18 to 18).
double power_of_ten(int exponent);

// The points of one tick, on their way through the plugins.
struct Tick {
  int64_t time_ns = 0;         // wall clock
  int64_t rates_since_ns = 0;  // wall clock; 0: no rates in it
  std::vector<Point> points;
  int64_t due_mono_ns =
      0;  // monotonic time at which the schedule made the tick due, to measure time between ticks; not sent
};

// Assigns numbers to series, from 0 on, up to a maximum. A series keeps its number until release().
// The number may then be assigned to another series, so callers that store numbers must check epoch().
// Not thread-safe.
class SeriesTable {
 public:
  // What to do with a series beyond the limits of the wire (series_limits.h). kFit: truncate label values and make them
  // valid UTF-8; fault() reports what remains wrong. kAsIs: leave it unchanged.
  enum class Edge { kFit, kAsIs };
  explicit SeriesTable(size_t max_series = 20'000, Edge edge = Edge::kFit) : max_series_(max_series), edge_(edge) {}

  // Returns nullopt if the table is full. The caller must then drop the point and count it as `cardinality`.
  std::optional<SeriesId> intern(Series series);
  // Returns nullopt if the series has no number.
  std::optional<SeriesId> find(const Series& series) const;
  const Series& at(SeriesId id) const { return series_[id]; }
  // Number of series that have a number.
  size_t size() const { return series_.size() - free_.size(); }
  size_t limit() const { return max_series_; }
  size_t room() const { return max_series_ - size(); }
  // All numbers are less than this.
  size_t bound() const { return series_.size(); }

  // Marks the series as in use until `time_ns` of the caller's clock.
  void keep_until(SeriesId id, int64_t time_ns) { needed_until_[id] = std::max(needed_until_[id], time_ns); }
  // Returns at most `most` series that are no longer in use, those unused for longest first. Skips series that are
  // `held` (indexed by number; may be shorter than the table).
  std::vector<SeriesId> unneeded(int64_t now_ns, size_t most, const std::vector<bool>& held) const;
  // Frees the numbers. Nothing may refer to them afterwards.
  void release(const std::vector<SeriesId>& ids);
  // Changes whenever numbers are released, because a stored number may then denote another series.
  uint64_t epoch() const { return epoch_; }
  uint64_t released() const { return released_; }
  // Number of times that intern() found the table full.
  uint64_t refusals() const { return refusals_; }
  // Why servers would reject the series; empty: they accept it.
  std::string_view fault(SeriesId id) const;
  size_t unfit() const { return faults_.size(); }
  // Number of series whose label values were truncated or made valid.
  uint64_t series_cut() const { return series_cut_; }
  double value(const Point& point) const;

 private:
  size_t max_series_;
  Edge edge_;
  uint64_t series_cut_ = 0;
  uint64_t epoch_ = 0;
  uint64_t released_ = 0;
  uint64_t refusals_ = 0;
  std::deque<Series> series_;  // by number; stable addresses
  std::vector<int64_t> needed_until_;
  std::vector<SeriesId> free_;  // numbers
  std::unordered_map<std::string, SeriesId> ids_;
  std::unordered_map<SeriesId, std::string> faults_;
};

}  // namespace monitor::metrics
