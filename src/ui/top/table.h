// The rows of `top`'s table: which agents in which order, and their lines. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ui/top/cells.h"
#include "ui/top/columns.h"
#include "ui/top/scene.h"
#include "views/fleet/fleet.h"

namespace monitor::analysis::top {

struct TableOrder {
  Column by = Column::kAgent;
  bool descending = false;
  std::string filter;  // filter.h
};
// Names begin with the first, numbers with the largest, states with the worst.
bool descends(Column by);

struct Row {
  const LiveAgent* agent;
  Verdict verdict;
  Figures figures;
  std::optional<double> unusual = {};  // the share of its series
};

// Agents that are equal are in the order of their names.
std::vector<Row> select_rows(const Scene& scene, const TableOrder& order);

// Lines of exactly the scene's width.
Line header_line(const TableOrder& order, const std::vector<Placed>& columns, const Scene& scene);
Line row_line(const Row& row, const std::vector<Placed>& columns, const Scene& scene, bool chosen);
// Means and sums of all agents that are not gone.
Line totals_line(const std::vector<Row>& rows, const std::vector<Placed>& columns, const Scene& scene);

// The rows of agents that are neither gone nor stopped.
std::vector<const LiveAgent*> present(const std::vector<Row>& rows);

// The past of two figures together; of one, if they are the same.
std::vector<float> past_of(const LiveAgent& agent, size_t a, size_t b);

}  // namespace monitor::analysis::top
