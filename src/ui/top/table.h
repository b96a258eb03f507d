// The table of `top`: which agents it shows in which order, and its lines. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "ui/top/cells.h"
#include "views/fleet/fleet.h"

namespace monitor::analysis::top {

enum class SortBy : uint8_t { kState, kAgent, kCpu, kMemory, kDisk, kNetwork, kTick };
constexpr size_t kSorts = 7;
const char* to_string(SortBy by);

struct TableOrder {
  SortBy by = SortBy::kAgent;
  bool descending = false;
  std::string filter;  // part of an id, host or label; or a shell pattern
};

struct Row {
  const LiveAgent* agent;
  Verdict verdict;
  Figures figures;
};

std::vector<Row> select_rows(const Fleet& fleet, const Servers& servers, const TableOrder& order, int64_t now_ns);

// Lines of exactly `width` columns.
Line header_line(const TableOrder& order, size_t width);
Line row_line(const Row& row, int64_t now_ns, size_t width, bool chosen, bool utf8);
// Means and sums of all agents that are not gone.
Line totals_line(const std::vector<Row>& rows, size_t width, bool utf8);

Paint paint_of(Health health);

}  // namespace monitor::analysis::top
