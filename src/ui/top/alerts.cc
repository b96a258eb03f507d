#include "ui/top/alerts.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "base/escape.h"
#include "ui/terminal/text_width.h"

namespace monitor::analysis::top {

namespace {

constexpr size_t kState = 8;
constexpr size_t kSince = 7;
constexpr size_t kValue = 9;

struct Widths {
  size_t name = 0;
  size_t agent = 0;
  size_t rest = 0;
};

Widths widths_for(size_t width) {
  const size_t taken = kState + kSince + kValue + 5;
  const size_t room = width > taken ? width - taken : 0;
  return {.name = room * 3 / 10, .agent = room * 3 / 10, .rest = room - room * 3 / 10 * 2};
}

std::string cells(const std::string& state, const std::string& since, const std::string& value, size_t width,
                  const std::string& name, const std::string& agent, const std::string& rest) {
  const Widths widths = widths_for(width);
  return fit_left(state, kState) + " " + fit_right(since, kSince) + " " + fit_right(value, kValue) + " " +
         fit_left(name, widths.name, "~") + " " + fit_left(agent, widths.agent, "~") + " " +
         fit_left(rest, widths.rest, "~");
}

}  // namespace

AlertCounts count(const AlertList& alerts) {
  const auto firing = std::ranges::count_if(alerts.items, [](const AlertItem& one) { return one.firing; });
  return {.firing = static_cast<size_t>(firing), .pending = alerts.items.size() - static_cast<size_t>(firing)};
}

Line alert_counts(const AlertList& alerts) {
  const auto [firing, pending] = count(alerts);
  Line line;
  if (firing > 0) line.push_back({fmt::format("{} firing", firing), Paint::kBad});
  if (firing > 0 && pending > 0) line.push_back({" "});
  if (pending > 0) line.push_back({fmt::format("{} pending", pending), Paint::kWarn});
  return line;
}

Line alert_header(size_t width) {
  return {
      {fit_left(cells("STATE", "SINCE", "VALUE", width, "ALERT", "AGENT", "SUMMARY, LABELS"), width), Paint::kReverse}};
}

Line alert_line(const AlertItem& alert, int64_t now_ns, size_t width, bool chosen) {
  const std::string since = age(elapsed_ns(alert.since_ms * kNanosPerMilli, now_ns));
  const std::string value = fmt::format("{:.4g}", alert.value);
  std::string rest = alert.quiet.empty() ? "" : "[quiet: " + alert.quiet + "] ";
  rest += alert.summary + (alert.labels.empty() || alert.summary.empty() ? "" : "  ") + alert.labels;
  const std::string text = cells(alert.firing ? "firing" : "pending", since, value, width, printable(alert.name),
                                 printable(alert.agent), printable(rest));
  const Paint paint = !alert.quiet.empty() ? Paint::kDim : (alert.firing ? Paint::kBad : Paint::kWarn);
  Line line = {{text.substr(0, kState), paint, chosen}, {text.substr(kState), Paint::kPlain, chosen}};
  clip(line, width);
  return line;
}

std::string no_alerts(const AlertList& alerts) {
  return alerts.trouble.empty() ? "no alert is firing or pending" : printable(alerts.trouble);
}

}  // namespace monitor::analysis::top
