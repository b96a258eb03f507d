// The part of a host's page that scrolls.
#include <algorithm>
#include <utility>

#include "ui/terminal/text_width.h"
#include "ui/top/host_view.h"
#include "ui/top/sections.h"

namespace monitor::analysis::top {

namespace {

constexpr size_t kValue = 13;
constexpr size_t kLongestSpark = 40;
constexpr size_t kEntityCell = 13;
constexpr size_t kLeastEntityName = 20;
constexpr size_t kMostEntities = 20;

Line title_line(const std::string& title, size_t width, const Scene& scene) {
  std::string text = title + " ";
  const size_t wide = text_width(text);
  for (size_t i = wide; i < width; ++i) text += scene.utf8 ? "─" : "-";
  return {{text, Paint::kAccent}};
}

// name, value, sparkline
Line series_line(const SectionSeries& series, const std::vector<float>& past, size_t width, const Scene& scene) {
  const size_t spark = std::min(kLongestSpark, width / 5);
  const size_t name = width > kValue + spark + 2 ? width - kValue - spark - 2 : 1;
  const std::string& text = text_width(series.name) > name ? series.brief : series.name;
  return {
      {fit_left(text, name, scene.cut()), Paint::kPlain},
      {" " + fit_right(series.value, kValue, scene.cut()) + " ", Paint::kBold},
      {sparkline(past, spark, series.share ? 1 : 0, scene.utf8), series.share ? heat(series.share) : Paint::kAccent}};
}

void add_entities(const Entities& entities, size_t width, const Scene& scene, std::vector<Line>& lines) {
  const size_t fit = width > kLeastEntityName ? (width - kLeastEntityName) / (kEntityCell + 1) : 0;
  const size_t columns = std::min(fit, entities.columns.size());
  const size_t name = width - columns * (kEntityCell + 1);
  std::string header = fit_left("  NAME", name);
  for (size_t i = 0; i < columns; ++i) {
    header.append(" ").append(fit_right(entities.columns[i], kEntityCell, scene.cut()));
  }
  lines.push_back({{header, Paint::kDim}});
  for (size_t i = 0; i < std::min(entities.rows.size(), kMostEntities); ++i) {
    const Entities::Row& row = entities.rows[i];
    Line line = {{fit_left("  " + row.name, name, scene.cut()), Paint::kPlain}};
    for (size_t c = 0; c < columns; ++c) {
      line.push_back({" " + fit_right(row.cells[c], kEntityCell, scene.cut()), c == 0 ? Paint::kBold : Paint::kPlain});
    }
    lines.push_back(std::move(line));
  }
  if (const size_t more = entities.rows.size() - std::min(entities.rows.size(), kMostEntities); more > 0) {
    lines.push_back({{"  and " + std::to_string(more) + " more", Paint::kDim}});
  }
}

void add_alerts(const Scene& scene, const LiveAgent& agent, size_t width, std::vector<Line>& lines) {
  bool any = false;
  for (const AlertItem& alert : scene.alerts.items) {
    if (alert.agent != agent.name) continue;
    if (!std::exchange(any, true)) lines.push_back(title_line("Alerts", width, scene));
    lines.push_back(alert_line(alert, scene.now_ns, width, false));
  }
}

}  // namespace

std::vector<Line> body_lines(const Scene& scene, const LiveAgent& agent, size_t width, std::vector<long>& starts) {
  std::vector<Line> lines;
  add_alerts(scene, agent, width, lines);
  for (const Section& section : sections_of(agent)) {
    starts.push_back(static_cast<long>(lines.size()));
    lines.push_back(title_line(title_of(section.kind), width, scene));
    if (!section.entities.rows.empty()) add_entities(section.entities, width, scene, lines);
    if (!section.absent.empty()) lines.push_back({{section.absent, Paint::kDim}});
    for (const SectionSeries& series : section.series) {
      lines.push_back(series_line(series, scene.past.steps(agent, series.index), width, scene));
    }
  }
  return lines;
}

}  // namespace monitor::analysis::top
