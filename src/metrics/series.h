// Series and points: what a collector makes and a plugin changes.
//
// A series is a name with labels, unit and value type; a SeriesTable gives each a small number once, and a point is
// that number with a value: 16 bytes in a fixed layout, which plugins and the plugin host can share. Integer series
// hold value = integer x 10^exponent, which is exact and packs well.
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
// Everything that tells series apart, in one string; lengths keep neighbours from running together.
std::string identity(const Series& series);
// Whether a shell pattern matches its name, or its form as to_string() makes it; an empty pattern matches all.
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

// What was read at one moment, on its way through the plugins.
struct Tick {
  int64_t time_ns = 0;         // wall clock
  int64_t rates_since_ns = 0;  // wall clock; 0: no rates in it
  std::vector<Point> points;
  int64_t due_mono_ns = 0;  // monotonic clock: its place on the grid, for what counts time between ticks; not sent
};

// Gives series their numbers, which start at 0. The table is capped. A series keeps its number until release() takes
// it; the number may then be given to another series, so that whoever keeps numbers must look at epoch(). Not
// thread-safe.
class SeriesTable {
 public:
  // What becomes of a series that breaks the limits of the wire (series_limits.h). kFit: label values are cut and made
  // valid, and what stays at fault is told by fault(). kAsIs: it stays as it is.
  enum class Edge { kFit, kAsIs };
  explicit SeriesTable(size_t max_series = 20'000, Edge edge = Edge::kFit) : max_series_(max_series), edge_(edge) {}

  // Nothing when the table is full: the point must be dropped, and counted as `cardinality`.
  std::optional<SeriesId> intern(Series series);
  // Nothing when it has no number yet.
  std::optional<SeriesId> find(const Series& series) const;
  const Series& at(SeriesId id) const { return series_[id]; }
  // Series that have a number.
  size_t size() const { return series_.size() - free_.size(); }
  size_t limit() const { return max_series_; }
  size_t room() const { return max_series_ - size(); }
  // All numbers are below it.
  size_t bound() const { return series_.size(); }

  // The series is needed until then, by a clock of the caller's.
  void keep_until(SeriesId id, int64_t time_ns) { needed_until_[id] = std::max(needed_until_[id], time_ns); }
  // Those that are not needed any more, at most so many, the longest unneeded first; never one that is `held` (by
  // number; may be short).
  std::vector<SeriesId> unneeded(int64_t now_ns, size_t most, const std::vector<bool>& held) const;
  // Gives their room back. Nothing may refer to these numbers any more.
  void release(const std::vector<SeriesId>& ids);
  // Changes when numbers are released: what was kept under a number may be of another series then.
  uint64_t epoch() const { return epoch_; }
  uint64_t released() const { return released_; }
  // How often there was no room for a series.
  uint64_t refusals() const { return refusals_; }
  // Why no server takes it; empty: every server does.
  std::string_view fault(SeriesId id) const;
  size_t unfit() const { return faults_.size(); }
  // How many series had label values that were cut or made valid.
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
