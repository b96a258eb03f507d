// Rows of aggregates as text: a table, JSON lines or CSV. A printer remembers what it has printed (header, widths).
// docs/aggregates.md describes the fields. Not thread-safe.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "ui/print/printer.h"
#include "views/aggregate/aggregate_view.h"

namespace monitor::analysis {

// One JSON object, without a newline.
std::string row_json(const AggregateSpec& spec, const AggregateRow& row);

class RowPrinter {
 public:
  // `header_every`: repeats the table's header after this many rows; 0: prints it only once. The spec must outlive it.
  RowPrinter(const AggregateSpec& spec, Format format, size_t header_every)
      : spec_(spec), format_(format), header_every_(header_every) {}

  // The text of the rows, including newlines.
  std::string print(std::span<const AggregateRow> rows);

 private:
  std::string table(std::span<const AggregateRow> rows);
  std::string csv(std::span<const AggregateRow> rows);
  std::vector<std::string> table_head() const;
  std::vector<std::string> table_cells(const AggregateRow& row) const;

  const AggregateSpec& spec_;
  const Format format_;
  const size_t header_every_;
  bool header_done_ = false;
  size_t rows_ = 0;  // since the last header
  std::vector<size_t> widths_;
};

}  // namespace monitor::analysis
