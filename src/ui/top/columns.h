// The columns of `top`'s table: which exist, which are shown, and where they are on the screen. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace monitor::analysis::top {

enum class Column : uint8_t {
  kState,
  kAgent,
  kHost,
  kCpu,
  kMemory,
  kDisk,
  kNetwork,
  kLoad,
  kFilesystem,
  kUnusual,
  kUptime,
  kWaiting,
  kVersion,
  kLabels,
  kTick,
};

struct ColumnSpec {
  Column id;
  const char* name;     // in commands and in the settings
  const char* heading;  // with the unit
  const char* meaning;
  size_t width;        // the least; with a chart: of the number
  bool right = false;  // numbers, without a chart
  bool chart = false;
  bool standard = true;  // shown unless the user chooses others
  // The smallest number is the first to go if the terminal is too narrow. 0: never.
  uint8_t rank = 0;
};

// In the order of the table.
std::span<const ColumnSpec> all_columns();
const ColumnSpec& spec_of(Column id);
std::optional<Column> find_column(std::string_view name);

// In the order of the table, each once. State and agent are always among them.
using ColumnSet = std::vector<Column>;
ColumnSet standard_columns();
// Adds or removes one. State and agent stay.
void toggle(ColumnSet& set, Column id);
// "cpu,mem,net": these; "+load,-host": changes of `now`; "standard". kInvalidArgument names the word that is no column.
Result<ColumnSet> parse_columns(std::string_view text, const ColumnSet& now);
// The names, separated by commas.
std::string to_string(const ColumnSet& set);

struct Placed {
  Column id;
  size_t at = 0;     // the first character, from the left
  size_t width = 0;  // one space separates columns
};
// The columns that fit. They use the whole width: first for longer charts, up to the length of the stored past, then
// for names.
std::vector<Placed> place_columns(const ColumnSet& set, size_t width);

}  // namespace monitor::analysis::top
