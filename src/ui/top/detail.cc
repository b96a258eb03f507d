#include "ui/top/detail.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <tuple>

#include "base/escape.h"
#include "metrics/human.h"
#include "ui/top/table.h"

namespace monitor::analysis::top {

namespace {

constexpr size_t kColumnOfValues = 90;  // width

// The labels of its configuration.
std::string labels_of(const LiveAgent& agent) {
  std::string out;
  for (const auto& [key, value] : agent.labels) out += "  " + key + "=" + value;
  return printable(out);
}

std::vector<float> past_of(const LiveAgent& agent, size_t figure) {
  const auto& steps = agent.past.steps(figure);
  return {steps.begin(), steps.end()};
}

}  // namespace

std::vector<Line> summary_lines(const LiveAgent& agent, const Verdict& verdict, size_t width, bool utf8) {
  std::vector<Line> lines;
  lines.push_back(
      {{left(fmt::format(
                 "{}  {}  version {}  revision {}  every {}{}", printable(agent.name), printable(agent.host),
                 printable(agent.version), agent.revision,
                 agent.interval_ns == 0 ? "?" : fmt::format("{:.3g}s", static_cast<double>(agent.interval_ns) / 1e9),
                 labels_of(agent)),
             width),
        Paint::kReverse}});
  lines.push_back({{left(to_string(verdict.health), 9), paint_of(verdict.health)},
                   {left(" " + printable(verdict.why), width - 9), Paint::kDim}});
  constexpr std::array<std::tuple<const char*, size_t, size_t, float>, 4> kPasts = {
      {{"CPU", 0, 0, 1.0F}, {"memory", 1, 1, 1.0F}, {"disk", 2, 3, 0.0F}, {"net", 4, 5, 0.0F}}};
  for (const auto& [name, a, b, top] : kPasts) {
    lines.push_back({{left(name, 9), Paint::kDim},
                     {sparkline(a == b ? past_of(agent, a) : sum(past_of(agent, a), past_of(agent, b)),
                                std::min(Past::kSteps, width - 10), top, utf8),
                      Paint::kGood}});
  }
  return lines;
}

std::vector<Line> value_lines(const LiveAgent& agent, size_t width) {
  std::map<std::string, std::string> values;
  for (const LiveValue& value : agent.values) {
    values[printable(metrics::to_string(value.series))] = metrics::human_value(value.series, value.value);
  }
  const size_t columns = std::max<size_t>(width / kColumnOfValues, 1);
  const size_t column = width / columns;
  std::vector<Line> lines((values.size() + columns - 1) / columns);
  size_t at = 0;
  for (const auto& [name, value] : values) {
    Line& line = lines[at++ % lines.size()];
    const bool first = line.empty();
    line.push_back({(first ? "" : "  ") + left(name, column - 17 - (first ? 0 : 2))});
    line.push_back({" " + right(printable(value), 16), Paint::kBold});
  }
  return lines;
}

}  // namespace monitor::analysis::top
