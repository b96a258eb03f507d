#include "ui/print/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

#include "base/escape.h"
#include "base/text.h"
#include "base/time_format.h"
#include "metrics/host_figures.h"
#include "metrics/human.h"

namespace monitor::analysis {

namespace {

constexpr double kMega = 1024.0 * 1024.0;
constexpr double kHigh = 90;      // %, red
constexpr double kElevated = 70;  // %, yellow
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

// 2026-11-22 12:00:00.123
std::string row_time(int64_t time_ns) {
  std::string text = format_rfc3339(time_ns, 3);
  std::ranges::replace(text, 'T', ' ');
  text.pop_back();  // removes the Z; the header says UTC
  return text;
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
  for (const auto& [key, value] : batch.resource) out += (out.empty() ? "" : ",") + key + "=" + value;
  return out.empty() ? "-" : printable(out);
}

}  // namespace

std::string TablePrinter::paint(const char* code, const std::string& text) const {
  return options_.colour ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
}

std::string TablePrinter::header() {
  header_due_ = false;
  rows_ = 0;
  const std::string start = fmt::format("{:<23}  {:<{}}", "TIME (UTC)", "AGENT", agent_width_);
  if (!options_.metric.empty()) return paint(kBold, start + "  METRICS") + "\n";
  return paint(kBold, fmt::format("{}  {:>6}  {:>6}  {:>19}  {:>11}  {:>11}  {:>11}  {:>12}", start, "CPU %", "MEM %",
                                  "MEM USED / TOTAL MB", "DISK R MB/s", "DISK W MB/s", "NET IN MB/s", "NET OUT MB/s") +
                          (has_labels_ ? "  LABELS" : "")) +
         "\n";
}

std::string TablePrinter::selected(const metrics::Batch& batch, const metrics::Frame& frame) const {
  std::string out;
  for (const metrics::Point& point : frame.points) {
    if (!metrics::selects(options_.metric, batch.series[point.series])) continue;
    if (!out.empty()) out += "  ";
    out += one_value(batch, point);
  }
  return out;
}

std::string TablePrinter::tick(const metrics::Batch& batch, size_t frame, bool late) {
  const metrics::Frame& f = batch.frames[frame];
  std::string figures;
  if (!options_.metric.empty()) {
    figures = "  " + selected(batch, f);
    if (figures.size() == 2) return "";
  } else {
    const auto cpu = find(batch, f, metrics::kCpu);
    std::string cpu_text = fmt::format("{:>6}", percent(cpu));
    if (cpu && *cpu * 100 >= kElevated) cpu_text = paint(*cpu * 100 >= kHigh ? kRed : kYellow, cpu_text);
    const auto used = find(batch, f, metrics::kMemoryUsed);
    const auto limit = find(batch, f, metrics::kMemoryLimit);
    const std::string memory = used || limit ? fmt::format("{} / {}", used ? metrics::grouped(*used / kMega) : "-",
                                                           limit ? metrics::grouped(*limit / kMega) : "-")
                                             : "-";
    figures = fmt::format("  {}  {:>6}  {:>19}", cpu_text, percent(find(batch, f, metrics::kMemory)), memory);
    constexpr std::array<int, 4> kWidths = {11, 11, 11, 12};
    for (size_t i = 0; i < metrics::kHostRates.size(); ++i) {
      figures += fmt::format("  {:>{}}", rate(find(batch, f, metrics::kHostRates[i])), kWidths[i]);
    }
    if (!batch.resource.empty() && !std::exchange(has_labels_, true)) header_due_ = true;
    if (has_labels_) figures += "  " + labels_of(batch);
  }
  const std::string agent = printable(batch.agent_id);
  if (agent.size() > agent_width_) {
    agent_width_ = agent.size();
    header_due_ = true;
  }
  std::string out;
  if (header_due_ || (options_.header_every > 0 && rows_ >= options_.header_every)) out = header();
  ++rows_;
  const std::string row = fmt::format("{:<23}  {:<{}}{}", row_time(f.time_ns), agent, agent_width_, figures);
  return out + (late ? paint(kDim, row + "  late") : row) + "\n";
}

}  // namespace monitor::analysis
