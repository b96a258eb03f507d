#include "ui/top/lists.h"

#include <fmt/format.h>

#include <algorithm>

#include "ui/terminal/text_width.h"

namespace monitor::analysis::top {

namespace {

constexpr long kWheelRows = 3;

// Returns true if the row that was selected already is clicked.
bool list_mouse(const Mouse& mouse, size_t list_row, ListCursor& cursor) {
  if (mouse.kind != Mouse::Kind::kPress) {
    cursor.move(mouse.kind == Mouse::Kind::kWheelUp ? -kWheelRows : kWheelRows);
    return false;
  }
  if (mouse.row < list_row || mouse.row >= list_row + cursor.room()) return false;
  return cursor.click(mouse.row - list_row);
}

size_t list_room(const Scene& scene, size_t above) {
  return scene.size.rows > above + 1 ? scene.size.rows - above - 1 : 1;
}

}  // namespace

bool AlertsView::mouse(const Mouse& mouse) { return list_mouse(mouse, list_row_, cursor_) && !agent_.empty(); }

void AlertsView::draw(const Scene& scene, std::vector<Line>& lines) {
  const auto& items = scene.alerts.items;
  lines.push_back(alert_header(scene.size.columns));
  list_row_ = lines.size();
  std::vector<std::string> ids;
  ids.reserve(items.size());
  for (const AlertItem& one : items) ids.push_back(one.name + '\n' + one.agent + '\n' + one.labels);
  cursor_.show(std::move(ids), list_room(scene, list_row_));
  agent_ = items.empty() ? "" : items[cursor_.place()].agent;
  for (size_t i = cursor_.first(); i < std::min(cursor_.first() + cursor_.room(), items.size()); ++i) {
    lines.push_back(alert_line(items[i], scene.now_ns, scene.size.columns, i == cursor_.place()));
  }
  if (items.empty()) lines.push_back({{no_alerts(scene.alerts), Paint::kDim}});
}

void ColumnsView::toggle_chosen(ColumnSet& set) {
  if (const auto id = find_column(cursor_.chosen())) toggle(set, *id);
}

bool ColumnsView::key(int key, ColumnSet& set) {
  if (key == ' ' || key == kEnter || key == 'x') {
    toggle_chosen(set);
    return true;
  }
  return cursor_.key(key);
}

void ColumnsView::mouse(const Mouse& mouse, ColumnSet& set) {
  if (mouse.kind == Mouse::Kind::kPress && (mouse.row < list_row_ || mouse.row >= list_row_ + cursor_.room())) return;
  list_mouse(mouse, list_row_, cursor_);
  if (mouse.kind == Mouse::Kind::kPress) toggle_chosen(set);
}

void ColumnsView::draw(const Scene& scene, const ColumnSet& set, std::vector<Line>& lines) {
  lines.push_back({{fit_left("COLUMNS   space: show or hide   Esc: back   :columns standard", scene.size.columns),
                    Paint::kReverse}});
  list_row_ = lines.size();
  std::vector<std::string> names;
  names.reserve(all_columns().size());
  for (const ColumnSpec& one : all_columns()) names.emplace_back(one.name);
  cursor_.show(std::move(names), list_room(scene, list_row_));
  for (size_t i = cursor_.first(); i < std::min(cursor_.first() + cursor_.room(), all_columns().size()); ++i) {
    const ColumnSpec& one = all_columns()[i];
    const bool shown = std::ranges::find(set, one.id) != set.end();
    const char* const mark = one.rank == 0 ? "[=]" : (shown ? "[x]" : "[ ]");
    Line line = {{fmt::format("{} {:<10} ", mark, one.name), shown ? Paint::kBold : Paint::kPlain},
                 {one.meaning, Paint::kDim}};
    fill(line, scene.size.columns);
    for (Span& span : line) span.chosen = i == cursor_.place();
    lines.push_back(std::move(line));
  }
}

}  // namespace monitor::analysis::top
