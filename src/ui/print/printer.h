// The forms in which ticks are shown: a table for people, JSON lines, CSV. A tick in, text out, without I/O; a printer
// remembers what it has shown (headers, widths). Not thread-safe.
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
  // The table's header comes again every so many rows; 0: only once.
  size_t header_every = 0;
};

class Printer {
 public:
  virtual ~Printer() = default;
  // The text of one frame, ends of line included; empty when no point of it is to be shown.
  virtual std::string tick(const metrics::Batch& batch, size_t frame, bool late) = 0;
};

std::unique_ptr<Printer> make_printer(const PrintOptions& options);

}  // namespace monitor::analysis
