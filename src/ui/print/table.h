// The table for people: one row per tick, in common units (%, MB of 2^20 bytes, MB/s). Not thread-safe.
#pragma once

#include <cstddef>
#include <string>

#include "ui/print/printer.h"

namespace monitor::analysis {

class TablePrinter final : public Printer {
 public:
  explicit TablePrinter(const PrintOptions& options) : options_(options) {}
  std::string tick(const metrics::Batch& batch, size_t frame, bool late) override;

 private:
  std::string header();
  // With a pattern: the selected series by name, instead of the fixed columns.
  std::string selected(const metrics::Batch& batch, const metrics::Frame& frame) const;
  std::string paint(const char* code, const std::string& text) const;

  const PrintOptions options_;
  size_t agent_width_ = 12;
  size_t rows_ = 0;  // since the last header
  bool header_due_ = true;
  bool has_labels_ = false;  // an agent with configured labels was printed, so there is a column for them
};

}  // namespace monitor::analysis
