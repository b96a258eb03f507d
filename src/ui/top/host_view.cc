#include "ui/top/host_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/escape.h"
#include "ui/terminal/text_width.h"
#include "ui/top/chart_panel.h"

namespace monitor::analysis::top {

namespace {

constexpr size_t kState = 9;
constexpr size_t kFourAcross = 120;
// From this height on, there are charts.
constexpr size_t kRowsForCharts = 16;
constexpr long kWheelLines = 3;
// From this width on, the sections are in two columns.
constexpr size_t kTwoColumns = 170;

std::string labels_of(const LiveAgent& agent) {
  std::string out;
  for (const auto& [key, value] : agent.labels) out.append("  ").append(key).append("=").append(value);
  return printable(out);
}

size_t chart_rows(Size size, bool four) {
  if (size.rows < kRowsForCharts) return 0;
  return std::clamp<size_t>(size.rows / (four ? 7 : 10), 2, 8);
}

// The second half of the lines beside the first.
std::vector<Line> in_two_columns(std::vector<Line> lines, std::vector<long>& starts, size_t column) {
  const size_t half = (lines.size() + 1) / 2;
  std::vector<Line> out(half);
  for (size_t i = 0; i < lines.size(); ++i) {
    Line& line = out[i % half];
    if (i >= half) line.push_back({"  "});
    fill(lines[i], column);
    append(line, std::move(lines[i]));
  }
  for (long& start : starts) start %= std::max<long>(static_cast<long>(half), 1);
  std::ranges::sort(starts);
  return out;
}

}  // namespace

std::vector<Line> summary_lines(const LiveAgent& agent, const Verdict& verdict, std::optional<double> unusual,
                                size_t width) {
  std::vector<Line> lines;
  const std::string every =
      agent.interval_ns == 0 ? "?" : fmt::format("{:.2g}s", static_cast<double>(agent.interval_ns) / 1e9);
  lines.push_back(
      {{fit_left(fmt::format("{}  {}  version {}  revision {}  every {}{}", printable(agent.name),
                             printable(agent.host), printable(agent.version), agent.revision, every, labels_of(agent)),
                 width),
        Paint::kReverse}});
  lines.push_back({{fit_left(to_string(verdict.health), kState), paint_of(verdict.health)},
                   {" " + printable(verdict.why), Paint::kDim}});
  if (unusual) {
    const std::string gap = verdict.why.empty() ? "" : "  ";
    lines.back().push_back({gap + "unusual: " + percent(unusual) + " % of its series", Paint::kDim});
  }
  return lines;
}

void HostView::open(const std::string& name) {
  name_ = name;
  scroll_ = 0;
  sections_.clear();
}

void HostView::scroll_by(long by) { scroll_ = std::max(0L, scroll_ + by); }

bool HostView::key(int key) {
  if (const auto by = movement(key, page_)) {
    scroll_by(*by);
    return true;
  }
  if (key != kTab) return false;
  const auto next = std::ranges::upper_bound(sections_, scroll_);
  scroll_ = next == sections_.end() ? 0 : *next;
  return true;
}

void HostView::mouse(const Mouse& mouse) {
  if (mouse.kind != Mouse::Kind::kPress) scroll_by(mouse.kind == Mouse::Kind::kWheelUp ? -kWheelLines : kWheelLines);
}

void HostView::draw(const Scene& scene, const LiveAgent& agent, std::vector<Line>& lines) {
  const Size size = scene.size;
  const Verdict verdict = judge(agent, scene.now_ns, Presence::kUnknown, scene.servers);
  lines = summary_lines(agent, verdict, share_of(scene.unusual, agent.name), size.columns);
  const bool four = size.columns >= kFourAcross;
  if (const size_t rows = chart_rows(size, four); rows > 0) {
    std::ranges::move(chart_panel(charts_of(agent), four ? 4 : 2, rows, size.columns, scene.utf8),
                      std::back_inserter(lines));
  }
  const bool two = size.columns >= kTwoColumns;
  const size_t column = two ? (size.columns - 2) / 2 : size.columns;
  sections_.clear();
  std::vector<Line> body = body_lines(scene, agent, column, sections_);
  if (two) body = in_two_columns(std::move(body), sections_, column);
  const auto all = static_cast<long>(body.size());
  page_ = std::max(static_cast<long>(size.rows) - static_cast<long>(lines.size()) - 1, 1L);
  scroll_ = std::clamp(scroll_, 0L, std::max(all - page_, 0L));
  for (long i = scroll_; i < std::min(scroll_ + page_, all); ++i)
    lines.push_back(std::move(body[static_cast<size_t>(i)]));
}

}  // namespace monitor::analysis::top
