// Printers: turn ticks into text without I/O: a table for people, JSON lines, CSV. A printer remembers what it has
// printed (headers, column widths). Not thread-safe.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "metrics/batch.h"

namespace monitor::analysis {

enum class Format { kTable, kJson, kCsv };

struct PrintOptions {
  Format format = Format::kTable;
  // Shell pattern over a metric's name, or over name{label=value,...}; empty: all.
  std::string metric = {};
  bool colour = false;
  // The width of the terminal, asked for each tick; empty, or 0: rows are as long as they are.
  std::function<size_t()> columns = {};
  // Repeats the table's header after this many rows; 0: prints it only once.
  size_t header_every = 0;
};

class Printer {
 public:
  virtual ~Printer() = default;
  // The text of one frame, including newlines; empty if none of its points is selected.
  virtual std::string tick(const metrics::Batch& batch, size_t frame, bool late) = 0;
};

std::unique_ptr<Printer> make_printer(const PrintOptions& options);

}  // namespace monitor::analysis
