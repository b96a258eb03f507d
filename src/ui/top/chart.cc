#include "ui/top/chart.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ui/terminal/braille.h"

namespace monitor::analysis::top {

namespace {

// The parts (0 to 1) of the values that `across` places show; NaN: a gap.
std::vector<float> resample(const std::vector<float>& values, const ChartOptions& options, size_t across) {
  const size_t steps = options.steps > 0 ? options.steps : values.size();
  const float most = options.top > 0 ? options.top : largest(values);
  std::vector<float> out(across, std::numeric_limits<float>::quiet_NaN());
  for (size_t x = 0; x < across; ++x) {
    // Counted from the end; the newest step is 1. A place that stands for several steps shows the highest.
    const size_t newest = (across - 1 - x) * steps / across + 1;
    const size_t oldest = std::min(std::max(newest, (across - x) * steps / across), values.size());
    for (size_t back = newest; back <= oldest; ++back) {
      const float value = values[values.size() - back];
      if (!std::isfinite(value)) continue;
      const float part = most > 0 ? std::clamp(value / most, 0.0F, 1.0F) : 0.0F;
      out[x] = std::isnan(out[x]) ? part : std::max(out[x], part);
    }
  }
  return out;
}

std::vector<std::string> braille_area(const std::vector<float>& parts, Size size) {
  BrailleCanvas canvas(size.columns, size.rows);
  const auto bottom = static_cast<int64_t>(canvas.dots_down()) - 1;
  for (size_t x = 0; x < parts.size(); ++x) {
    if (std::isnan(parts[x])) continue;
    const auto height = std::lround(parts[x] * static_cast<float>(bottom));
    canvas.line({static_cast<int64_t>(x), bottom}, {static_cast<int64_t>(x), bottom - height});
  }
  return canvas.lines();
}

// Two steps a character: ':' is a half one.
std::vector<std::string> ascii_area(const std::vector<float>& parts, Size size) {
  std::vector<std::string> lines(size.rows, std::string(size.columns, ' '));
  for (size_t x = 0; x < parts.size(); ++x) {
    if (std::isnan(parts[x])) continue;
    const auto halves =
        std::max<size_t>(1, static_cast<size_t>(std::lround(parts[x] * static_cast<float>(size.rows * 2))));
    for (size_t row = 0; row < size.rows; ++row) {
      const size_t below = (size.rows - 1 - row) * 2;
      if (halves > below) lines[row][x] = halves - below == 1 ? '.' : '|';
    }
  }
  return lines;
}

}  // namespace

float largest(const std::vector<float>& values) {
  float most = 0;
  for (const float value : values) most = std::isfinite(value) ? std::max(most, value) : most;
  return most;
}

std::vector<Line> area_chart(const std::vector<float>& values, const ChartOptions& options) {
  const Size size = options.size;
  const size_t across = size.columns * (options.utf8 ? BrailleCanvas::kDotsAcross : 1);
  const std::vector<float> parts = resample(values, options, across);
  std::vector<std::string> texts = options.utf8 ? braille_area(parts, size) : ascii_area(parts, size);
  std::vector<Line> lines;
  for (size_t row = 0; row < size.rows; ++row) {
    const double height = (static_cast<double>(size.rows - row) - 0.5) / static_cast<double>(size.rows);
    lines.push_back({{std::move(texts[row]), options.heats ? heat(height) : Paint::kAccent}});
  }
  return lines;
}

}  // namespace monitor::analysis::top
