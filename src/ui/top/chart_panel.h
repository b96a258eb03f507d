// Charts beside one another: of the whole fleet, above the table, and of one host. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "ui/top/cells.h"
#include "ui/top/scene.h"
#include "ui/top/table.h"

namespace monitor::analysis::top {

struct PanelChart {
  std::string title;
  std::string value;
  std::vector<float> past;
  float top = 0;  // of the scale; 0: the largest value
};

// A line of titles and `rows` lines of charts, `across` of them beside one another, of exactly `width` columns.
std::vector<Line> chart_panel(const std::vector<PanelChart>& charts, size_t across, size_t rows, size_t width,
                              bool utf8);

// CPU, memory, disk and network of one agent, or of all agents.
std::vector<PanelChart> charts_of(const LiveAgent& agent);
std::vector<PanelChart> charts_of(const std::vector<Row>& rows);

}  // namespace monitor::analysis::top
