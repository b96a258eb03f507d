#include "ui/top/top_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/counted.h"
#include "base/escape.h"
#include "ui/top/detail.h"
#include "ui/top/layout.h"

namespace monitor::analysis::top {

namespace {

constexpr size_t kRowsForTotals = 8;

}  // namespace

bool TopView::filter_key(int key) {
  if (key == kEnter || key == kEscape) {
    if (key == kEscape) order_.filter.clear();
    mode_ = Mode::kTable;
  } else if (key == kBackspace) {
    // Removes a whole UTF-8 character.
    while (!order_.filter.empty() && (static_cast<unsigned char>(order_.filter.back()) & 0xC0) == 0x80)
      order_.filter.pop_back();
    if (!order_.filter.empty()) order_.filter.pop_back();
  } else if (key >= ' ' && key < 127 && order_.filter.size() < 64) {
    order_.filter += static_cast<char>(key);
  }
  return true;
}

void TopView::move(int by) {
  if (mode_ == Mode::kDetail) {
    scroll_ = std::max(0L, scroll_ + by);
    return;
  }
  if (drawn_.empty()) {  // the order has changed since the last drawing
    place_ = std::max(0L, place_ + by);
    return;
  }
  place_ = std::clamp(place_ + by, 0L, static_cast<long>(drawn_.size()) - 1);
  chosen_ = drawn_[static_cast<size_t>(place_)];
}

bool TopView::key(int key) {
  if (mode_ == Mode::kFilter) return filter_key(key);
  if (key == 'q') return false;
  if (!mode_key(key) && !sort_key(key)) move_key(key);
  return true;
}

// Handles keys that change the view. Returns false for any other key.
bool TopView::mode_key(int key) {
  switch (key) {
    case '?':
    case 'h':
      if (mode_ != Mode::kHelp) before_help_ = mode_;
      mode_ = mode_ == Mode::kHelp ? before_help_ : Mode::kHelp;
      return true;
    case kEscape:
      mode_ = mode_ == Mode::kHelp ? before_help_ : Mode::kTable;
      if (mode_ == Mode::kTable) scroll_ = 0;
      return true;
    case kEnter:
      if (mode_ != Mode::kTable) return true;
      mode_ = Mode::kDetail;
      scroll_ = 0;
      return true;
    case '/':
      mode_ = Mode::kFilter;
      return true;
    case 'p':
    case ' ':
      paused_ = !paused_;
      return true;
    default:
      return false;
  }
}

void TopView::turn_sort(size_t by) { order_.by = static_cast<SortBy>((static_cast<size_t>(order_.by) + by) % kSorts); }

bool TopView::sort_key(int key) {
  switch (key) {
    case 's':
    case '>':
    case kRight:
      turn_sort(1);
      break;
    case '<':
    case kLeft:
      turn_sort(kSorts - 1);
      break;
    case 'r':
      break;
    default:
      return false;
  }
  // The worst state, the largest value or the oldest tick comes first.
  order_.descending = key == 'r' ? !order_.descending : order_.by != SortBy::kAgent;
  // After sorting, the first row is selected, wherever the previously selected agent is.
  if (mode_ != Mode::kTable) return true;
  chosen_.clear();
  drawn_.clear();
  place_ = 0;
  scroll_ = 0;
  return true;
}

void TopView::move_key(int key) {
  constexpr int kFar = 1'000'000;
  switch (key) {
    case kUp:
    case 'k':
      return move(-1);
    case kDown:
    case 'j':
      return move(1);
    case kPageUp:
      return move(static_cast<int>(-page_));
    case kPageDown:
      return move(static_cast<int>(page_));
    case kHome:
      return move(-kFar);
    case kEnd:
      return move(kFar);
    default:
      return;
  }
}

void TopView::choose(const std::vector<Row>& rows) {
  drawn_.clear();
  for (const Row& one : rows) drawn_.push_back(one.agent->name);
  const auto found = std::ranges::find(drawn_, chosen_);
  if (found != drawn_.end()) place_ = found - drawn_.begin();
  place_ = std::clamp(place_, 0L, std::max(static_cast<long>(drawn_.size()) - 1, 0L));
  if (!drawn_.empty()) chosen_ = drawn_[static_cast<size_t>(place_)];
}

void TopView::table(const Fleet& fleet, int64_t now_ns, Size size, std::vector<Line>& lines) {
  const auto rows = select_rows(fleet, servers_, order_, now_ns);
  choose(rows);
  const bool with_totals = columns_for(size.columns).wide && size.rows >= kRowsForTotals && rows.size() > 1;
  const long room = std::max(static_cast<long>(size.rows) - (with_totals ? 4 : 3), 1L);
  page_ = room;
  scroll_ = std::clamp(scroll_, std::max(place_ - room + 1, 0L), place_);
  lines.push_back(header_line(order_, size.columns));
  if (with_totals) lines.push_back(totals_line(rows, size.columns, utf8_));
  for (long i = scroll_; i < std::min(scroll_ + room, static_cast<long>(rows.size())); ++i) {
    lines.push_back(row_line(rows[static_cast<size_t>(i)], now_ns, size.columns, i == place_, utf8_));
  }
  if (rows.empty())
    lines.push_back({{fleet.agents().empty() ? "waiting for agents" : "no agent matches", Paint::kDim}});
}

void TopView::detail(const Fleet& fleet, int64_t now_ns, Size size, std::vector<Line>& lines) {
  if (chosen_.empty()) choose(select_rows(fleet, servers_, order_, now_ns));
  const LiveAgent* const agent = fleet.find(chosen_);
  if (agent == nullptr) {
    mode_ = Mode::kTable;
    table(fleet, now_ns, size, lines);
    return;
  }
  const Verdict verdict = judge(*agent, now_ns, Presence::kUnknown, servers_);
  lines = summary_lines(*agent, verdict, size.columns, utf8_);
  std::vector<Line> values = value_lines(*agent, size.columns);
  const auto all = static_cast<long>(values.size());
  const long room = std::max(static_cast<long>(size.rows) - static_cast<long>(lines.size()) - 2, 1L);
  page_ = room;
  scroll_ = std::clamp(scroll_, 0L, std::max(all - room, 0L));
  for (long i = scroll_; i < std::min(scroll_ + room, all); ++i) {
    lines.push_back(std::move(values[static_cast<size_t>(i)]));
  }
}

void TopView::help(std::vector<Line>& lines) const {
  lines.push_back({{"monitor-analysis top", Paint::kBold}});
  lines.push_back({});
  for (const char* const text : {"up down j k     choose an agent          page up, page down, home, end",
                                 "Enter           one agent: cores, devices, interfaces", "Esc             back",
                                 "s < >           sort by another column", "r               reverse the order",
                                 "/               filter agents, hosts and labels (rack=r12); * and ? are wildcards",
                                 "p space         pause", "? h             this help", "q               quit"}) {
    lines.push_back({{text}});
  }
  lines.push_back({});
  lines.push_back({{"alive; late: behind its interval; spooling: batches wait in its spool;", Paint::kDim}});
  lines.push_back({{"silent: alive, but collects nothing; stopped: ended cleanly;", Paint::kDim}});
  lines.push_back({{"gone: no data for 30 s;", Paint::kDim}});
  lines.push_back({{"unknown: no server writes to the log", Paint::kDim}});
}

Line TopView::foot() const {
  if (mode_ == Mode::kFilter) return {{"filter: " + order_.filter + "_", Paint::kBold}};
  if (!trouble_.empty()) return {{printable(trouble_), Paint::kBad}};
  std::string text = paused_ ? "PAUSED  " : "";
  if (!order_.filter.empty()) text += "filter " + order_.filter + "  ";
  return {{text + fmt::format("sorted by {}  ? help  q quit", to_string(order_.by)), Paint::kDim}};
}

std::vector<Line> TopView::draw(const Fleet& fleet, int64_t now_ns, Size size) {
  std::vector<Line> lines;
  size.columns = std::max<size_t>(size.columns, 20);
  if (mode_ == Mode::kHelp) {
    help(lines);
  } else if (mode_ == Mode::kDetail) {
    detail(fleet, now_ns, size, lines);
  } else {
    std::array<size_t, kHealths> counts{};
    for (const auto& [name, agent] : fleet.agents())
      ++counts[static_cast<size_t>(judge(agent, now_ns, Presence::kUnknown, servers_).health)];
    Line top = {{left(fmt::format("{}: ", counted(fleet.agents().size(), "agent")), 14), Paint::kBold}};
    for (size_t i = 0; i < counts.size(); ++i) {
      const auto health = static_cast<Health>(i);
      // The line must fit into 80 columns.
      if ((health == Health::kUnknown || health == Health::kStopped) && counts[i] == 0) continue;
      top.push_back(
          {fmt::format("{} {}  ", counts[i], to_string(health)), counts[i] > 0 ? paint_of(health) : Paint::kDim});
    }
    lines.push_back(std::move(top));
    table(fleet, now_ns, size, lines);
  }
  lines.resize(size.rows > 0 ? size.rows - 1 : 0);
  Line last = foot();
  last[0].text = left(last[0].text, size.columns - 1);
  lines.push_back(std::move(last));
  for (Line& line : lines) clip(line, size.columns);
  return lines;
}

}  // namespace monitor::analysis::top
