#include "ui/top/table_view.h"

#include <algorithm>

#include "ui/top/chart_panel.h"

namespace monitor::analysis::top {

namespace {

constexpr size_t kRowsForTotals = 8;
constexpr size_t kColumnsForTotals = 118;
// From this size on, the fleet's charts are above the table.
constexpr size_t kRowsForCharts = 34;
constexpr size_t kColumnsForCharts = 100;
constexpr size_t kChartRows = 5;
constexpr size_t kWheelRows = 3;

}  // namespace

void TableView::sort_by(Column by, bool descending) {
  order_.by = by;
  order_.descending = descending;
  // After sorting, the first row is selected, wherever the previously selected agent is.
  cursor_.to_first();
}

// The next column that is on the screen.
void TableView::turn_sort(size_t by) {
  if (placed_.empty()) return sort_by(Column::kCpu, true);
  const auto at = std::ranges::find(placed_, order_.by, &Placed::id);
  const size_t place = at == placed_.end() ? 0 : static_cast<size_t>(at - placed_.begin());
  const Column next = placed_[(place + by) % placed_.size()].id;
  sort_by(next, descends(next));
}

bool TableView::key(int key) {
  switch (key) {
    case 's':
    case '>':
    case kRight:
      turn_sort(1);
      return true;
    case '<':
    case kLeft:
      turn_sort(std::max<size_t>(placed_.size(), 1) - 1);
      return true;
    case 'r':
      sort_by(order_.by, !order_.descending);
      return true;
    default:
      return cursor_.key(key);
  }
}

bool TableView::mouse(const Mouse& mouse) {
  if (mouse.kind != Mouse::Kind::kPress) {
    cursor_.move(mouse.kind == Mouse::Kind::kWheelUp ? -static_cast<long>(kWheelRows) : static_cast<long>(kWheelRows));
    return false;
  }
  if (mouse.row == header_row_) {
    const auto hit = std::ranges::find_if(
        placed_, [&](const Placed& one) { return mouse.column >= one.at && mouse.column < one.at + one.width + 1; });
    if (hit != placed_.end()) sort_by(hit->id, hit->id == order_.by ? !order_.descending : descends(hit->id));
    return false;
  }
  if (mouse.row < list_row_ || mouse.row >= list_row_ + cursor_.room()) return false;
  return cursor_.click(mouse.row - list_row_);
}

void TableView::resolve(const Scene& scene) {
  if (!cursor_.chosen().empty()) return;
  std::vector<std::string> names;
  for (const Row& one : select_rows(scene, order_)) names.push_back(one.agent->name);
  cursor_.show(std::move(names), cursor_.room());
}

size_t TableView::list_room(const Scene& scene, size_t above) const {
  return scene.size.rows > above + 1 ? scene.size.rows - above - 1 : 1;  // the last line is the foot
}

void TableView::draw(const Scene& scene, const ColumnSet& columns, std::vector<Line>& lines) {
  const auto rows = select_rows(scene, order_);
  const Size size = scene.size;
  const bool charts = size.rows >= kRowsForCharts && size.columns >= kColumnsForCharts;
  const bool totals = !charts && size.columns >= kColumnsForTotals && size.rows >= kRowsForTotals && rows.size() > 1;
  placed_ = place_columns(columns, size.columns);
  if (charts) {
    std::ranges::move(chart_panel(charts_of(rows), 4, kChartRows, size.columns, scene.utf8), std::back_inserter(lines));
  }
  header_row_ = lines.size();
  lines.push_back(header_line(order_, placed_, scene));
  if (totals) lines.push_back(totals_line(rows, placed_, scene));
  list_row_ = lines.size();
  std::vector<std::string> names;
  names.reserve(rows.size());
  for (const Row& one : rows) names.push_back(one.agent->name);
  cursor_.show(std::move(names), list_room(scene, list_row_));
  for (size_t i = cursor_.first(); i < std::min(cursor_.first() + cursor_.room(), rows.size()); ++i) {
    lines.push_back(row_line(rows[i], placed_, scene, i == cursor_.place()));
  }
  if (rows.empty()) {
    lines.push_back({{scene.fleet.agents().empty() ? "waiting for agents" : "no agent matches", Paint::kDim}});
  }
}

}  // namespace monitor::analysis::top
