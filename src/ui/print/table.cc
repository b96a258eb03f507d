#include "ui/print/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string_view>

#include "base/escape.h"
#include "base/text.h"
#include "base/time_format.h"
#include "metrics/host_figures.h"
#include "metrics/human.h"
#include "ui/terminal/text_width.h"

namespace monitor::analysis {

namespace {

constexpr double kMega = 1024.0 * 1024.0;
constexpr double kHigh = 90;      // %, red
constexpr double kElevated = 70;  // %, yellow
// For a series, on a terminal.
constexpr size_t kLeastRoom = 24;
constexpr const char* kBold = "1";
constexpr const char* kDim = "2";
constexpr const char* kRed = "31";
constexpr const char* kYellow = "33";

std::optional<double> find(const metrics::Batch& batch, const metrics::Frame& frame,
                           const metrics::HostFigure& wanted) {
  for (const metrics::Point& point : frame.points) {
    if (!wanted.matches(batch.series[point.series])) continue;
    const double value = batch.value(point);
    if (std::isfinite(value)) return value;
  }
  return std::nullopt;
}

std::string percent(std::optional<double> share) { return share ? fmt::format("{:.1f}", *share * 100) : "-"; }

std::string rate(std::optional<double> bytes) { return bytes ? fmt::format("{:.2f}", *bytes / kMega) : "-"; }

// 2026-11-22 12:00:00.123, or a part of it. A late tick is marked in the part.
std::string row_time(int64_t time_ns, TableLayout::Time form, bool late) {
  constexpr size_t kDate = 11;
  constexpr size_t kSeconds = 8;
  std::string text = format_rfc3339(time_ns, 3);
  std::ranges::replace(text, 'T', ' ');
  text.pop_back();  // removes the Z; the header says UTC
  if (form == TableLayout::Time::kDate) return text;
  if (form == TableLayout::Time::kMilliseconds && !late) return text.substr(kDate);
  return text.substr(kDate, kSeconds) + (form == TableLayout::Time::kMilliseconds ? " late" : "");
}

std::string one_value(const metrics::Batch& batch, const metrics::Point& point) {
  const metrics::Series& series = batch.series[point.series];
  const double value = batch.value(point);
  const std::string number = std::isfinite(value) ? json_number(value) : "-";
  return fmt::format("{}={}{}", printable(metrics::to_string(series)), number,
                     series.unit.empty() || series.unit == "1" ? "" : " " + printable(series.unit));
}

// Labels of the agent's configuration: rack=r12,site=eu-1.
std::string labels_of(const metrics::Batch& batch) {
  std::string out;
  for (const auto& [key, value] : batch.resource) {
    if (!out.empty()) out += ',';
    out.append(key).append("=").append(value);
  }
  return out.empty() ? "-" : printable(out);
}

}  // namespace

std::string TablePrinter::paint(const char* code, const std::string& text) const {
  return options_.colour ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
}

std::string TablePrinter::share(std::optional<double> value) const {
  std::string text = fmt::format("{:>{}}", percent(value), layout_->share_width());
  if (!value || *value * 100 < kElevated) return text;
  return paint(*value * 100 >= kHigh ? kRed : kYellow, text);
}

TableLayout TablePrinter::layout_of(const metrics::Batch& batch, const std::string& agent) {
  columns_ = options_.columns ? options_.columns() : 0;
  agent_width_ = std::max(agent_width_, columns_ > 0 ? text_width(agent) : agent.size());
  has_labels_ = has_labels_ || (options_.metric.empty() && !batch.resource.empty());
  return table_layout(columns_, agent_width_, has_labels_);
}

std::string TablePrinter::header() const {
  const char* const time = layout_->time == TableLayout::Time::kSeconds ? "UTC" : "TIME (UTC)";
  const std::string start = fmt::format("{:<{}}  {:<{}}", time, layout_->time_width(), "AGENT", layout_->agent);
  return paint(kBold, start + "  " + (options_.metric.empty() ? layout_->header() : "METRICS")) + "\n";
}

std::string TablePrinter::figures(const metrics::Batch& batch, const metrics::Frame& frame) const {
  std::string out = share(find(batch, frame, metrics::kCpu)) + "  " + share(find(batch, frame, metrics::kMemory));
  if (layout_->memory) {
    const auto used = find(batch, frame, metrics::kMemoryUsed);
    const auto limit = find(batch, frame, metrics::kMemoryLimit);
    const std::string memory = used || limit ? fmt::format("{} / {}", used ? metrics::grouped(*used / kMega) : "-",
                                                           limit ? metrics::grouped(*limit / kMega) : "-")
                                             : "-";
    out += fmt::format("  {:>19}", memory);
  }
  for (size_t i = 0; i < layout_->rates; ++i) {
    out += fmt::format("  {:>{}}", rate(find(batch, frame, metrics::kHostRates[i])), layout_->rate_width(i));
  }
  if (layout_->labels == 0) return out;
  const std::string labels = labels_of(batch);
  return out + "  " + (text_width(labels) > layout_->labels ? fit_left(labels, layout_->labels, "~") : labels);
}

std::string TablePrinter::selected(const metrics::Batch& batch, const metrics::Frame& frame) const {
  // Lines below the first begin where it begins, unless that leaves hardly any room.
  const size_t start = layout_->start_width();
  const std::string indent(start + kLeastRoom <= columns_ ? start : 2, ' ');
  std::string out;
  size_t at = start;
  for (const metrics::Point& point : frame.points) {
    if (!metrics::selects(options_.metric, batch.series[point.series])) continue;
    std::string one = one_value(batch, point);
    if (columns_ == 0) {
      out += (out.empty() ? "" : "  ") + one;
      continue;
    }
    const bool fits = at + 2 + text_width(one) <= columns_;
    if (!out.empty()) out += fits ? "  " : "\n" + indent;
    at = out.empty() ? start : (fits ? at + 2 : indent.size());
    // A name that is longer than a line is broken.
    for (size_t room = columns_ - std::min(at, columns_ - 1); text_width(one) > room; room = columns_ - at) {
      const size_t taken = text_prefix(one, room).size();
      out += one.substr(0, taken) + "\n" + indent;
      one.erase(0, taken);
      at = indent.size();
    }
    out += one;
    at += text_width(one);
  }
  return out;
}

std::string TablePrinter::tick(const metrics::Batch& batch, size_t frame, bool late) {
  const metrics::Frame& f = batch.frames[frame];
  const auto chosen = [&](const metrics::Point& point) {
    return metrics::selects(options_.metric, batch.series[point.series]);
  };
  if (!options_.metric.empty() && std::ranges::none_of(f.points, chosen)) return "";
  const std::string agent = printable(batch.agent_id);
  const TableLayout layout = layout_of(batch, agent);
  const bool header_due = layout_ != layout || (options_.header_every > 0 && rows_ >= options_.header_every);
  layout_ = layout;
  if (header_due) rows_ = 0;
  ++rows_;
  const std::string time = fit_left(row_time(f.time_ns, layout.time, late), layout.time_width());
  std::string row = time + "  " + fit_left(agent, layout.agent, "~") + "  " +
                    (options_.metric.empty() ? figures(batch, f) : selected(batch, f));
  if (late && layout.time == TableLayout::Time::kDate) row += "  late";
  return (header_due ? header() : "") + (late ? paint(kDim, row) : row) + "\n";
}

}  // namespace monitor::analysis
