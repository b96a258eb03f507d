// Which columns the table of get-metrics has, and their widths. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace monitor::analysis {

struct TableLayout {
  enum class Time { kDate, kMilliseconds, kSeconds };
  static constexpr size_t kAll = SIZE_MAX;

  Time time = Time::kDate;
  size_t agent = 12;
  bool narrow = false;  // shorter headings above the shares and rates
  bool memory = true;   // the column "used / total"
  size_t rates = 4;
  size_t labels = 0;  // 0: no such column; kAll: as long as they are

  bool operator==(const TableLayout&) const = default;

  size_t time_width() const;
  size_t share_width() const { return narrow ? 5 : 6; }
  size_t rate_width(size_t rate) const;
  // Of time and agent, with the space before the next column.
  size_t start_width() const { return time_width() + 2 + agent + 2; }
  // Without the labels.
  size_t width() const;
  std::string header() const;
};

// `columns`: the terminal's width; 0: there is none, and the table has all columns. `agent`: of the longest id. If the
// width does not suffice, the date goes first, then the long headings, then columns; a long id is cut off.
TableLayout table_layout(size_t columns, size_t agent, bool has_labels);

}  // namespace monitor::analysis
