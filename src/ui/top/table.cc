#include "ui/top/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/counted.h"
#include "base/escape.h"
#include "ui/terminal/text_width.h"
#include "ui/top/filter.h"
#include "ui/top/sections.h"
#include "ui/top/totals.h"

namespace monitor::analysis::top {

namespace {

constexpr size_t kShareNumber = 5;
constexpr size_t kRateNumber = 6;
// From this width on, a chart of a share has a bar beside its curve.
constexpr size_t kBarAndCurve = 14;
constexpr size_t kLongestBar = 10;

// The largest value of the metric; of a metric with one series, its value.
std::optional<double> largest_of(const LiveAgent& agent, std::string_view metric) {
  std::optional<double> found;
  for (const LiveValue& value : agent.values) {
    if (value.series.name == metric && std::isfinite(value.value)) found = std::max(found.value_or(0), value.value);
  }
  return found;
}

std::optional<double> load_of(const LiveAgent& agent) { return largest_of(agent, "system.cpu.load_average.1m"); }
std::optional<double> fullest_of(const LiveAgent& agent) { return largest_of(agent, "system.filesystem.utilization"); }
std::optional<double> uptime_of(const LiveAgent& agent) { return largest_of(agent, "system.uptime"); }

std::string labels_of(const LiveAgent& agent) {
  std::string out;
  for (const auto& [key, value] : agent.labels) {
    if (!out.empty()) out += ',';
    out.append(key).append("=").append(value);
  }
  return printable(out);
}

// The value by which rows are sorted, unless they are sorted by a text.
double sort_value(const Row& row, Column by) {
  constexpr double kNone = -1;
  switch (by) {
    case Column::kState:
      return static_cast<double>(row.verdict.health);
    case Column::kCpu:
      return row.figures[0].value_or(kNone);
    case Column::kMemory:
      return row.figures[1].value_or(kNone);
    case Column::kDisk:
      return sum(row.figures[2], row.figures[3]).value_or(kNone);
    case Column::kNetwork:
      return sum(row.figures[4], row.figures[5]).value_or(kNone);
    case Column::kLoad:
      return load_of(*row.agent).value_or(kNone);
    case Column::kFilesystem:
      return fullest_of(*row.agent).value_or(kNone);
    case Column::kUnusual:
      return row.unusual.value_or(kNone);
    case Column::kUptime:
      return uptime_of(*row.agent).value_or(kNone);
    case Column::kWaiting:
      return static_cast<double>(row.agent->waiting);
    case Column::kTick:
      return -static_cast<double>(row.agent->tick_ns);  // its age
    default:
      return 0;
  }
}

std::string sort_text(const Row& row, Column by) {
  if (by == Column::kHost) return row.agent->host;
  if (by == Column::kVersion) return row.agent->version;
  return by == Column::kLabels ? labels_of(*row.agent) : row.agent->name;
}

bool by_text(Column by) {
  return by == Column::kAgent || by == Column::kHost || by == Column::kVersion || by == Column::kLabels;
}

void sort_rows(std::vector<Row>& rows, const TableOrder& order) {
  struct Keyed {
    double number = 0;
    std::string text;
    size_t row = 0;
  };
  std::vector<Keyed> keys;
  keys.reserve(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    keys.push_back({sort_value(rows[i], order.by), by_text(order.by) ? sort_text(rows[i], order.by) : "", i});
  }
  std::ranges::sort(keys, [&](const Keyed& one, const Keyed& other) {
    const Keyed& a = order.descending ? other : one;
    const Keyed& b = order.descending ? one : other;
    if (a.number != b.number) return a.number < b.number;
    if (a.text != b.text) return name_less(a.text, b.text);
    return name_less(rows[one.row].agent->name, rows[other.row].agent->name);
  });
  std::vector<Row> sorted;
  sorted.reserve(rows.size());
  for (const Keyed& key : keys) sorted.push_back(std::move(rows[key.row]));
  rows = std::move(sorted);
}

Line share_cell(std::optional<double> share, const std::vector<float>& past, size_t width, bool utf8) {
  const size_t room = width - kShareNumber - 1;
  const size_t curve = room >= kBarAndCurve ? room - std::min(kLongestBar, room / 3) - 1 : 0;
  Line line = {{fit_right(percent(share), kShareNumber), heat(share)}, {" "}};
  append(line, bar(share, curve > 0 ? room - curve - 1 : room, utf8));
  if (curve == 0) return line;
  line.push_back({" " + sparkline(past, curve, 1, utf8), heat(share) == Paint::kPlain ? Paint::kDim : heat(share)});
  return line;
}

Line rate_cell(std::optional<double> rate, const std::vector<float>& past, size_t width, bool utf8) {
  return {{fit_right(megabytes(rate), kRateNumber), Paint::kPlain},
          {" " + sparkline(past, width - kRateNumber - 1, 0, utf8), Paint::kAccent}};
}

// The four figures with charts. `past(a, b)` returns the past of two figures together.
template <typename PastOf>
Line figure_cell(Column id, const Figures& now, size_t width, bool utf8, const PastOf& past) {
  if (id == Column::kCpu) return share_cell(now[0], past(0, 0), width, utf8);
  if (id == Column::kMemory) return share_cell(now[1], past(1, 1), width, utf8);
  if (id == Column::kDisk) return rate_cell(sum(now[2], now[3]), past(2, 3), width, utf8);
  return rate_cell(sum(now[4], now[5]), past(4, 5), width, utf8);
}

Span text_cell(const Row& row, const Placed& column, const Scene& scene) {
  const LiveAgent& agent = *row.agent;
  const auto named = [&](const std::string& text) { return fit_left(printable(text), column.width, scene.cut()); };
  const auto number = [&](const std::string& text) { return fit_right(text, column.width); };
  switch (column.id) {
    case Column::kState:
      return {named(std::string(to_string(row.verdict.health))), paint_of(row.verdict.health)};
    case Column::kAgent:
      return {named(agent.name), Paint::kBold};
    case Column::kHost:
      return {named(agent.host)};
    case Column::kVersion:
      return {named(agent.version), Paint::kDim};
    case Column::kLabels:
      return {named(labels_of(agent)), Paint::kDim};
    case Column::kLoad: {
      const auto load = load_of(agent);
      return {number(load ? fmt::format("{:.2f}", *load) : "-")};
    }
    case Column::kFilesystem:
      return {number(percent(fullest_of(agent))), heat(fullest_of(agent))};
    case Column::kUnusual:
      return {number(percent(row.unusual)), row.unusual.value_or(0) > 0 ? Paint::kPlain : Paint::kDim};
    case Column::kUptime: {
      const auto uptime = uptime_of(agent);
      return {number(uptime ? age(static_cast<int64_t>(*uptime * 1e9)) : "-")};
    }
    case Column::kWaiting:
      return {number(agent.waiting == 0 ? "-" : fmt::format("{}", agent.waiting)),
              agent.waiting == 0 ? Paint::kDim : Paint::kWarn};
    default:
      return {number(agent.tick_ns == 0 ? "-" : age(elapsed_ns(agent.tick_ns, scene.now_ns)))};
  }
}

}  // namespace

bool descends(Column by) { return !by_text(by); }

std::vector<float> past_of(const LiveAgent& agent, size_t a, size_t b) {
  const auto& first = agent.past.steps(a);
  std::vector<float> out(first.begin(), first.end());
  if (a == b) return out;
  const auto& second = agent.past.steps(b);
  return sum(std::move(out), {second.begin(), second.end()});
}

std::vector<Row> select_rows(const Scene& scene, const TableOrder& order) {
  std::vector<Row> rows;
  const Filter filter(order.filter);
  for (const auto& [name, agent] : scene.fleet.agents()) {
    Verdict verdict = judge(agent, scene.now_ns, Presence::kUnknown, scene.servers);
    if (filter.matches(agent, verdict.health)) {
      rows.push_back({&agent, std::move(verdict), agent.figures(), share_of(scene.unusual, name)});
    }
  }
  sort_rows(rows, order);
  return rows;
}

Line header_line(const TableOrder& order, const std::vector<Placed>& columns, const Scene& scene) {
  std::string text;
  for (const Placed& column : columns) {
    const ColumnSpec& spec = spec_of(column.id);
    const std::string marked = spec.heading + std::string(column.id != order.by ? "" : (order.descending ? "v" : "^"));
    text += (text.empty() ? "" : " ") + (spec.right ? fit_right(marked, column.width) : fit_left(marked, column.width));
  }
  return {{fit_left(text, scene.size.columns), Paint::kReverse}};
}

Line row_line(const Row& row, const std::vector<Placed>& columns, const Scene& scene, bool chosen) {
  Line line;
  for (const Placed& column : columns) {
    if (!line.empty()) line.push_back({" "});
    if (!spec_of(column.id).chart) {
      line.push_back(text_cell(row, column, scene));
      continue;
    }
    append(line, figure_cell(column.id, row.figures, column.width, scene.utf8,
                             [&](size_t a, size_t b) { return past_of(*row.agent, a, b); }));
  }
  fill(line, scene.size.columns);
  for (Span& span : line) span.chosen = chosen;
  return line;
}

std::vector<const LiveAgent*> present(const std::vector<Row>& rows) {
  std::vector<const LiveAgent*> found;
  for (const Row& one : rows) {
    const Health health = one.verdict.health;
    if (health != Health::kGone && health != Health::kStopped) found.push_back(one.agent);
  }
  return found;
}

Line totals_line(const std::vector<Row>& rows, const std::vector<Placed>& columns, const Scene& scene) {
  const auto agents = present(rows);
  const Totals all = totals_of(agents);
  const std::string who = fmt::format("{}: means, sums", counted(agents.size(), "agent"));
  Line line;
  size_t at = 0;  // what the line covers
  for (const Placed& column : columns) {
    if (!spec_of(column.id).chart) continue;
    if (line.empty()) {
      // State, agent and host are one text.
      line.push_back(
          {fit_left(fit_left("ALL", spec_of(Column::kState).width) + " " + who, column.at, scene.cut()), Paint::kBold});
    } else {
      line.push_back({std::string(column.at - at, ' ')});
    }
    append(line, figure_cell(column.id, all.figures, column.width, scene.utf8,
                             [&](size_t a, size_t b) { return a == b ? all.past[a] : sum(all.past[a], all.past[b]); }));
    at = column.at + column.width;
  }
  if (line.empty()) line.push_back({"ALL      " + who, Paint::kBold});
  fill(line, scene.size.columns);
  return line;
}

}  // namespace monitor::analysis::top
