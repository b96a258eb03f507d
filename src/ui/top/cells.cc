#include "ui/top/cells.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "metrics/human.h"
#include "ui/terminal/text_width.h"

namespace monitor::analysis::top {

namespace {

constexpr std::array<const char*, 9> kBlocks = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr std::array<const char*, 9> kMarks = {" ", ".", ".", ":", "-", "=", "+", "*", "#"};

// Where the heats begin. The last two are the thresholds of get-metrics.
constexpr std::array<double, kHeats> kHeatFrom = {0, 0.3, 0.5, 0.7, 0.9};

}  // namespace

size_t width_of(const Line& line) {
  size_t columns = 0;
  for (const Span& span : line) columns += text_width(span.text);
  return columns;
}

void clip(Line& line, size_t columns) {
  for (Span& span : line) {
    const size_t wide = text_width(span.text);
    if (wide > columns) span.text = fit_left(span.text, columns);
    columns -= std::min(wide, columns);
  }
}

void fill(Line& line, size_t columns) {
  clip(line, columns);
  const size_t wide = width_of(line);
  if (wide < columns)
    line.push_back({std::string(columns - wide, ' '), line.empty() ? Paint::kPlain : line.back().paint});
}

void append(Line& line, Line more) {
  line.insert(line.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

std::string percent(std::optional<double> share) { return share ? fmt::format("{:.1f}", *share * 100) : "-"; }

std::string megabytes(std::optional<double> bytes) {
  if (!bytes) return "-";
  const double mega = *bytes / metrics::unit_size("MB");
  return mega < 1000 ? fmt::format("{:.2f}", mega) : fmt::format("{:.0f}", mega);
}

std::string age(int64_t ns) { return metrics::duration(static_cast<double>(ns) / 1e9); }

std::optional<double> sum(std::optional<double> a, std::optional<double> b) {
  if (!a && !b) return std::nullopt;
  return a.value_or(0) + b.value_or(0);
}

std::vector<float> sum(std::vector<float> found, const std::vector<float>& more) {
  for (size_t i = 0; i < found.size() && i < more.size(); ++i) {
    const float other = more[i];
    if (std::isnan(found[i])) {
      found[i] = other;
    } else if (!std::isnan(other)) {
      found[i] += other;
    }
  }
  return found;
}

Paint paint_of(Health health) {
  if (health == Health::kAlive) return Paint::kGood;
  if (health == Health::kGone) return Paint::kBad;
  return health == Health::kSilent || health == Health::kStopped ? Paint::kDim : Paint::kWarn;
}

Paint heat(std::optional<double> share) {
  if (!share || !std::isfinite(*share)) return Paint::kPlain;
  size_t found = 0;
  while (found + 1 < kHeats && *share >= kHeatFrom[found + 1]) ++found;
  return static_cast<Paint>(static_cast<size_t>(Paint::kHeat1) + found);
}

Line bar(std::optional<double> share, size_t columns, bool utf8) {
  const double part = share && std::isfinite(*share) ? std::clamp(*share, 0.0, 1.0) : 0;
  const auto filled = static_cast<size_t>(std::lround(part * static_cast<double>(columns)));
  Line line;
  for (size_t i = 0; i < filled; ++i) {
    const Paint paint = heat((static_cast<double>(i) + 0.5) / static_cast<double>(columns));
    if (line.empty() || line.back().paint != paint) line.push_back({"", paint});
    line.back().text += utf8 ? "■" : "|";
  }
  std::string rest;
  for (size_t i = filled; i < columns; ++i) rest += !share ? " " : (utf8 ? "·" : ".");
  if (!rest.empty()) line.push_back({std::move(rest), Paint::kDim});
  return line;
}

std::string sparkline(const std::vector<float>& values, size_t columns, float top, bool utf8) {
  const auto& marks = utf8 ? kBlocks : kMarks;
  const size_t first = values.size() > columns ? values.size() - columns : 0;
  float most = top;
  if (most <= 0) {
    for (size_t i = first; i < values.size(); ++i) most = std::isfinite(values[i]) ? std::max(most, values[i]) : most;
  }
  std::string out(columns - (values.size() - first), ' ');
  for (size_t i = first; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      out += ' ';
      continue;
    }
    const float part = most > 0 ? std::clamp(values[i] / most, 0.0F, 1.0F) : 0.0F;
    const auto step = static_cast<size_t>(std::lround(part * 7.0F));
    out += marks[1 + std::min<size_t>(step, 7)];
  }
  return out;
}

}  // namespace monitor::analysis::top
