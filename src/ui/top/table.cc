#include "ui/top/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/counted.h"
#include "base/escape.h"
#include "base/text.h"
#include "metrics/human.h"
#include "ui/top/layout.h"

namespace monitor::analysis::top {

namespace {

constexpr std::array<const char*, kSorts> kSortNames = {"state", "agent", "CPU", "memory", "disk", "net", "tick"};
constexpr size_t kTickWidth = 7;

std::vector<float> past_of(const LiveAgent& agent, size_t figure) {
  const auto& steps = agent.past.steps(figure);
  return {steps.begin(), steps.end()};
}

std::string age(int64_t ns) { return metrics::duration(static_cast<double>(ns) / 1e9); }

// The value by which rows are sorted, unless they are sorted by name.
double sort_value(const Row& row, SortBy by) {
  switch (by) {
    case SortBy::kState:
      return static_cast<double>(row.verdict.health);
    case SortBy::kCpu:
      return row.figures[0].value_or(-1);
    case SortBy::kMemory:
      return row.figures[1].value_or(-1);
    case SortBy::kDisk:
      return sum(row.figures[2], row.figures[3]).value_or(-1);
    case SortBy::kNetwork:
      return sum(row.figures[4], row.figures[5]).value_or(-1);
    case SortBy::kTick:
      return -static_cast<double>(row.agent->tick_ns);  // its age
    case SortBy::kAgent:
      break;
  }
  return 0;
}

// The six figures with their sparklines. `past(i)` returns the past of figure i.
template <typename PastOf>
std::string figure_cells(const Figures& now, size_t spark, bool utf8, const PastOf& past) {
  const auto one = [&](const std::string& text, const std::vector<float>& line, float top, size_t width) {
    return " " + right(text, width) + " " + sparkline(line, spark, top, utf8);
  };
  return one(percent(now[0]), past(0), 1, 5) + one(percent(now[1]), past(1), 1, 5) +
         one(megabytes(sum(now[2], now[3])), sum(past(2), past(3)), 0, 6) +
         one(megabytes(sum(now[4], now[5])), sum(past(4), past(5)), 0, 5);
}

}  // namespace

const char* to_string(SortBy by) { return kSortNames[static_cast<size_t>(by)]; }

Paint paint_of(Health health) {
  if (health == Health::kAlive) return Paint::kGood;
  if (health == Health::kGone) return Paint::kBad;
  return health == Health::kSilent || health == Health::kStopped ? Paint::kDim : Paint::kWarn;
}

std::vector<Row> select_rows(const Fleet& fleet, const Servers& servers, const TableOrder& order, int64_t now_ns) {
  std::vector<Row> rows;
  const std::string pattern =
      order.filter.find_first_of("*?") == std::string::npos ? "*" + order.filter + "*" : order.filter;
  for (const auto& [name, agent] : fleet.agents()) {
    const bool labelled = std::ranges::any_of(
        agent.labels, [&](const auto& label) { return glob_match(pattern, label.first + "=" + label.second); });
    if (!order.filter.empty() && !glob_match(pattern, name) && !glob_match(pattern, agent.host) && !labelled) continue;
    rows.push_back({&agent, judge(agent, now_ns, Presence::kUnknown, servers), agent.figures()});
  }
  std::ranges::stable_sort(rows, [&](const Row& a, const Row& b) {
    if (order.by == SortBy::kAgent)
      return order.descending ? a.agent->name > b.agent->name : a.agent->name < b.agent->name;
    return order.descending ? sort_value(a, order.by) > sort_value(b, order.by)
                            : sort_value(a, order.by) < sort_value(b, order.by);
  });
  return rows;
}

Line header_line(const TableOrder& order, size_t width) {
  const Columns columns = columns_for(width);
  const auto head = [&order](SortBy by, const std::string& text, size_t wide, bool to_right) {
    const std::string marked = by == order.by ? text + (order.descending ? "v" : "^") : text;
    return to_right ? right(marked, wide) : left(marked, wide);
  };
  std::string text =
      head(SortBy::kState, "STATE", 9, false) + " " + head(SortBy::kAgent, "AGENT", columns.agent, false);
  if (columns.wide) text += " " + left("HOST", columns.host);
  text += " " + head(SortBy::kCpu, "CPU %", columns.spark + 6, false) + " " +
          head(SortBy::kMemory, "MEM %", columns.spark + 6, false) + " " +
          head(SortBy::kDisk, "DISK MB/s", columns.spark + 7, false) + " " +
          head(SortBy::kNetwork, "NET MB/s", columns.spark + 6, false);
  if (columns.wide) text += " " + head(SortBy::kTick, "TICK", kTickWidth, true);
  return {{left(text, width), Paint::kReverse}};
}

Line row_line(const Row& one, int64_t now_ns, size_t width, bool chosen, bool utf8) {
  const Columns columns = columns_for(width);
  const LiveAgent& agent = *one.agent;
  std::string rest = " " + left(printable(agent.name), columns.agent);
  if (columns.wide) rest += " " + left(printable(agent.host), columns.host);
  rest += figure_cells(one.figures, columns.spark, utf8, [&](size_t figure) { return past_of(agent, figure); });
  if (columns.wide) rest += " " + right(agent.tick_ns == 0 ? "-" : age(elapsed_ns(agent.tick_ns, now_ns)), kTickWidth);
  const std::string state = left(to_string(one.verdict.health), 9);
  if (chosen) return {{left(state + rest, width), Paint::kReverse}};
  return {{state, paint_of(one.verdict.health)}, {left(rest, width - 9), Paint::kPlain}};
}

Line totals_line(const std::vector<Row>& rows, size_t width, bool utf8) {
  const Columns columns = columns_for(width);
  std::vector<const LiveAgent*> there;
  for (const Row& one : rows) {
    const Health health = one.verdict.health;
    if (health != Health::kGone && health != Health::kStopped) there.push_back(one.agent);
  }
  const Totals all = totals_of(there);
  const std::string who = fmt::format("{}: means, sums", counted(there.size(), "agent"));
  return {{left(left("ALL", 9) + " " + left(who, columns.agent + 1 + columns.host) +
                    figure_cells(all.figures, columns.spark, utf8, [&](size_t figure) { return all.past[figure]; }),
                width),
           Paint::kBold}};
}

}  // namespace monitor::analysis::top
