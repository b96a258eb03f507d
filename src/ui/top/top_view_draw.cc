// The part of TopView that draws.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/counted.h"
#include "base/escape.h"
#include "ui/terminal/text_width.h"
#include "ui/top/sections.h"
#include "ui/top/top_view.h"

namespace monitor::analysis::top {

namespace {

constexpr size_t kLeastColumns = 20;
// Completion offers at most so many agents.
constexpr size_t kMostAgents = 20'000;
constexpr size_t kMostLabels = 1'000;

}  // namespace

Line TopView::head(const Scene& scene) const {
  std::array<size_t, kHealths> counts{};
  for (const auto& [name, agent] : scene.fleet.agents()) {
    ++counts[static_cast<size_t>(judge(agent, scene.now_ns, Presence::kUnknown, servers_).health)];
  }
  // A line that is too long is without states that no agent has.
  const auto line_with = [&](bool all) {
    Line line = {{fit_left(fmt::format("{}: ", counted(scene.fleet.agents().size(), "agent")), 14), Paint::kBold}};
    for (size_t i = 0; i < counts.size(); ++i) {
      const auto health = static_cast<Health>(i);
      const bool rare = health == Health::kUnknown || health == Health::kStopped;
      if ((rare || !all) && counts[i] == 0) continue;
      line.push_back(
          {fmt::format("{} {}  ", counts[i], to_string(health)), counts[i] > 0 ? paint_of(health) : Paint::kDim});
    }
    append(line, alert_counts(alerts_));
    return line;
  };
  Line line = line_with(true);
  return width_of(line) <= scene.size.columns ? line : line_with(false);
}

void TopView::draw_host(const Scene& scene, std::vector<Line>& lines) {
  if (host_.name().empty()) {
    table_.resolve(scene);
    host_.open(table_.chosen());
  }
  if (const LiveAgent* const agent = scene.fleet.find(host_.name()); agent != nullptr) {
    return host_.draw(scene, *agent, lines);
  }
  if (!host_.name().empty()) message_ = "there is no agent " + host_.name();
  mode_ = Mode::kTable;
  draw_body(scene, lines);
}

void TopView::draw_body(const Scene& scene, std::vector<Line>& lines) {
  switch (mode_) {
    case Mode::kHelp:
      lines = help_lines(scene.size);
      break;
    case Mode::kHost:
      draw_host(scene, lines);
      break;
    case Mode::kTable:
      lines.push_back(head(scene));
      table_.draw(scene, settings_.columns, lines);
      break;
    case Mode::kAlerts:
      lines.push_back(head(scene));
      alerts_view_.draw(scene, lines);
      break;
    case Mode::kColumns:
      columns_view_.draw(scene, settings_.columns, lines);
      break;
  }
}

Line TopView::foot() const {
  if (typing_) return {{prompt_.shown(), Paint::kBold}};
  if (!message_.empty()) return {{printable(message_), Paint::kWarn}};
  if (!trouble_.empty()) return {{printable(trouble_), Paint::kBad}};
  std::string text = paused_ ? "PAUSED  " : "";
  const TableOrder& order = table_.order();
  if (!order.filter.empty()) text += "filter " + printable(order.filter) + "  ";
  if (mode_ == Mode::kHost) return {{text + "Esc back  Tab next section  ? help  q quit", Paint::kDim}};
  if (mode_ != Mode::kTable) return {{text + "Esc back  ? help  q quit", Paint::kDim}};
  text += fmt::format("sorted by {}", spec_of(order.by).name);
  return {{text + "  ? help  / filter  : command  a alerts  c columns  q quit", Paint::kDim}};
}

// Not for each drawing: a fleet has many names.
void TopView::note_completions(const Scene& scene) {
  const bool known = completions_.agents.size() == std::min(scene.fleet.agents().size(), kMostAgents);
  if (!typing_ && known && !completions_.columns.empty()) return;
  completions_ = {};
  for (const ColumnSpec& one : all_columns()) completions_.columns.emplace_back(one.name);
  std::set<std::string> labels;
  for (const auto& [name, agent] : scene.fleet.agents()) {
    if (completions_.agents.size() < kMostAgents) completions_.agents.push_back(name);
    for (const auto& [key, value] : agent.labels) {
      if (labels.size() < kMostLabels) labels.insert(fmt::format("{}={}", key, value));
    }
  }
  for (size_t i = 0; i < kHealths; ++i) labels.insert("state=" + std::string(to_string(static_cast<Health>(i))));
  std::ranges::sort(completions_.agents, name_less);
  completions_.labels.assign(labels.begin(), labels.end());
}

std::vector<Line> TopView::draw(const Fleet& fleet, const SeriesPast& past, int64_t now_ns, Size size) {
  const size_t columns = size.columns;
  size.columns = std::max(size.columns, kLeastColumns);
  const Scene scene{.fleet = fleet,
                    .alerts = alerts_,
                    .past = past,
                    .servers = servers_,
                    .unusual = unusual_,
                    .now_ns = now_ns,
                    .size = size,
                    .utf8 = utf8_};
  note_completions(scene);
  std::vector<Line> lines;
  draw_body(scene, lines);
  lines.resize(size.rows > 0 ? size.rows - 1 : 0);
  Line last = foot();
  // Nothing in the last place: some terminals scroll then.
  fill(last, size.columns - 1);
  lines.push_back(std::move(last));
  for (Line& line : lines) {
    clip(line, columns);
    if (utf8_) continue;
    for (Span& span : line) span.text = to_ascii(span.text);
  }
  return lines;
}

}  // namespace monitor::analysis::top
