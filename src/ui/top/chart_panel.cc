#include "ui/top/chart_panel.h"

#include <algorithm>
#include <cmath>

#include "ui/terminal/text_width.h"
#include "ui/top/chart.h"
#include "ui/top/totals.h"

namespace monitor::analysis::top {

namespace {

std::string rate_text(std::optional<double> bytes) { return bytes ? megabytes(bytes) + " MB/s" : "-"; }
std::string share_text(std::optional<double> share) { return share ? percent(share) + " %" : "-"; }

std::vector<PanelChart> charts(const Figures& now, const std::array<std::vector<float>, 4>& past, bool fleet) {
  return {{.title = fleet ? "CPU, mean" : "CPU", .value = share_text(now[0]), .past = past[0], .top = 1},
          {.title = fleet ? "Memory, mean" : "Memory", .value = share_text(now[1]), .past = past[1], .top = 1},
          {.title = fleet ? "Disk, sum" : "Disk", .value = rate_text(sum(now[2], now[3])), .past = past[2]},
          {.title = fleet ? "Network, sum" : "Network", .value = rate_text(sum(now[4], now[5])), .past = past[3]}};
}

// "CPU 12.3 %       max 40.1 %", over the chart.
Line title_line(const PanelChart& chart, size_t width) {
  const bool any = std::ranges::any_of(chart.past, [](float value) { return std::isfinite(value); });
  const std::optional<double> most = any ? std::optional<double>(largest(chart.past)) : std::nullopt;
  const std::string max = "max " + (chart.top > 0 ? share_text(most) : rate_text(most));
  const std::string start = chart.title + " ";
  Line line = {{start, Paint::kBold}, {chart.value, Paint::kPlain}};
  const size_t taken = text_width(start) + text_width(chart.value);
  if (taken + max.size() + 2 <= width) line.push_back({fit_right(max, width - taken), Paint::kDim});
  fill(line, width);
  return line;
}

}  // namespace

std::vector<Line> chart_panel(const std::vector<PanelChart>& charts, size_t across, size_t rows, size_t width,
                              bool utf8) {
  std::vector<Line> lines;
  const size_t each = (width - (across - 1) * 2) / across;
  for (size_t first = 0; first < charts.size(); first += across) {
    std::vector<Line> band(rows + 1);
    for (size_t i = first; i < std::min(first + across, charts.size()); ++i) {
      const PanelChart& chart = charts[i];
      if (i > first) {
        for (Line& line : band) line.push_back({"  "});
      }
      append(band[0], title_line(chart, each));
      auto drawn = area_chart(chart.past, {.size = {.columns = each, .rows = rows},
                                           .top = chart.top,
                                           .steps = Past::kSteps,
                                           .heats = chart.top > 0,
                                           .utf8 = utf8});
      for (size_t row = 0; row < rows; ++row) append(band[row + 1], std::move(drawn[row]));
    }
    std::ranges::move(band, std::back_inserter(lines));
  }
  return lines;
}

std::vector<PanelChart> charts_of(const LiveAgent& agent) {
  return charts(agent.figures(),
                {past_of(agent, 0, 0), past_of(agent, 1, 1), past_of(agent, 2, 3), past_of(agent, 4, 5)}, false);
}

std::vector<PanelChart> charts_of(const std::vector<Row>& rows) {
  Totals all = totals_of(present(rows));
  return charts(all.figures, {all.past[0], all.past[1], sum(all.past[2], all.past[3]), sum(all.past[4], all.past[5])},
                true);
}

}  // namespace monitor::analysis::top
