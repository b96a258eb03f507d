// The static table: the built-in series that a record names by a number. A row never changes and is never removed. A
// new row, or any other change of the format, needs a new version of the payload, because an older reader does not know
// it. docs/payload-v2.md prints the table, and tests compare both with the catalog. Constant; usable from any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/series.h"
#include "payload/forms.h"

namespace monitor::payload {

// No row of the table.
inline constexpr uint32_t kNoRow = UINT32_MAX;

struct Row {
  metrics::Series series;          // without the slots
  std::vector<std::string> slots;  // keys of labels whose values the record has; sorted
  Form form = Form::kSigned;
  // Of kShare: the numbers of the two series.
  uint32_t part = 0;
  uint32_t whole = 0;
};

// By number.
std::span<const Row> table();

// The number of the series' row; kNoRow if it has none.
uint32_t row_of(const metrics::Series& series);
// Adds the values of the slots of the series' row. They point into the series.
void slot_values_of(const Row& row, const metrics::Series& series, std::vector<std::string_view>& values);

// The series of a row, with these values in its slots.
metrics::Series series_of(const Row& row, std::span<const std::string> values);

// Lists of rows without slots that a record names by one byte: the numbers first to first + count - 1.
struct StandardSet {
  uint32_t first = 0;
  uint32_t count = 0;
};
std::span<const StandardSet> standard_sets();

// The table of docs/payload-v2.md.
std::string table_markdown();

}  // namespace monitor::payload
