// The table for people: one row per tick, in common units (%, MB of 2^20 bytes, MB/s). On a terminal, rows fit into
// its width. Not thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "ui/print/printer.h"
#include "ui/print/table_layout.h"

namespace monitor::analysis {

class TablePrinter final : public Printer {
 public:
  explicit TablePrinter(const PrintOptions& options) : options_(options) {}
  std::string tick(const metrics::Batch& batch, size_t frame, bool late) override;

 private:
  // The columns for this agent. Widens the agent's column if its id is longer than those before.
  TableLayout layout_of(const metrics::Batch& batch, const std::string& agent);
  std::string header() const;
  std::string figures(const metrics::Batch& batch, const metrics::Frame& frame) const;
  // With a pattern: the selected series by name, instead of the fixed columns. On a terminal, those that do not fit
  // into the line continue below it.
  std::string selected(const metrics::Batch& batch, const metrics::Frame& frame) const;
  std::string share(std::optional<double> value) const;
  std::string paint(const char* code, const std::string& text) const;

  const PrintOptions options_;
  size_t columns_ = 0;  // of the terminal, at the last tick; 0: none
  size_t agent_width_ = 12;
  size_t rows_ = 0;                    // since the last header
  bool has_labels_ = false;            // an agent with configured labels was printed, so there is a column for them
  std::optional<TableLayout> layout_;  // of the last header
};

}  // namespace monitor::analysis
