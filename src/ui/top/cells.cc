#include "ui/top/cells.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "metrics/human.h"

namespace monitor::analysis::top {

namespace {

constexpr std::array<const char*, 9> kBlocks = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr std::array<const char*, 9> kMarks = {" ", ".", ".", ":", "-", "=", "+", "*", "#"};

size_t columns_of(std::string_view text) {
  return static_cast<size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

std::string left(std::string_view text, size_t columns) {
  std::string out;
  size_t count = 0;
  for (size_t i = 0; i < text.size();) {
    size_t end = i + 1;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
    if (count++ == columns) return out;
    out.append(text.substr(i, end - i));
    i = end;
  }
  out.append(columns - count, ' ');
  return out;
}

std::string right(std::string_view text, size_t columns) {
  return text.size() >= columns ? std::string(text.substr(0, columns))
                                : std::string(columns - text.size(), ' ') + std::string(text);
}

void clip(Line& line, size_t columns) {
  for (Span& span : line) {
    const size_t wide = columns_of(span.text);
    if (wide > columns) span.text = left(span.text, columns);
    columns -= std::min(wide, columns);
  }
}

std::string percent(std::optional<double> share) { return share ? fmt::format("{:.1f}", *share * 100) : "-"; }

std::string megabytes(std::optional<double> bytes) {
  if (!bytes) return "-";
  const double mega = *bytes / metrics::unit_size("MB");
  return mega < 1000 ? fmt::format("{:.2f}", mega) : fmt::format("{:.0f}", mega);
}

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

std::string sparkline(const std::vector<float>& values, size_t columns, float top, bool utf8) {
  const auto& marks = utf8 ? kBlocks : kMarks;
  const size_t first = values.size() > columns ? values.size() - columns : 0;
  float most = top;
  if (most <= 0) {
    for (size_t i = first; i < values.size(); ++i) most = std::isfinite(values[i]) ? std::max(most, values[i]) : most;
  }
  std::string out(columns - (values.size() - first), ' ');
  for (size_t i = first; i < values.size(); ++i) {
    if (!std::isfinite(values[i]) || most <= 0) {
      out += ' ';
      continue;
    }
    const auto step = static_cast<size_t>(std::lround(std::clamp(values[i] / most, 0.0F, 1.0F) * 7.0F));
    out += marks[1 + std::min<size_t>(step, 7)];
  }
  return out;
}

}  // namespace monitor::analysis::top
