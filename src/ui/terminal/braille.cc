#include "ui/terminal/braille.h"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace monitor::analysis {

namespace {

// The bit of each dot in a braille character, by column and row
// (https://www.unicode.org/charts/PDF/U2800.pdf).
constexpr std::array<std::array<unsigned, BrailleCanvas::kDotsDown>, BrailleCanvas::kDotsAcross> kDots = {
    {{0x01, 0x02, 0x04, 0x40}, {0x08, 0x10, 0x20, 0x80}}};

std::string braille(unsigned dots) {
  // U+2800 + dots in UTF-8: three bytes.
  return {static_cast<char>(0xe2), static_cast<char>(0xa0 | (dots >> 6)), static_cast<char>(0x80 | (dots & 0x3f))};
}

}  // namespace

void BrailleCanvas::line(const Dot& from, const Dot& to) {
  const int64_t steps = std::max<int64_t>({std::abs(to.x - from.x), std::abs(to.y - from.y), 1});
  for (int64_t i = 0; i <= steps; ++i) {
    set(static_cast<size_t>(from.x + (to.x - from.x) * i / steps),
        static_cast<size_t>(from.y + (to.y - from.y) * i / steps));
  }
}

std::vector<std::string> BrailleCanvas::lines() const {
  std::vector<std::string> all(rows_);
  for (size_t i = 0; i < cells_.size(); ++i) all[i / columns_] += braille(cells_[i]);
  return all;
}

void BrailleCanvas::set(size_t x, size_t y) {
  cells_[y / kDotsDown * columns_ + x / kDotsAcross] |= kDots[x % kDotsAcross][y % kDotsDown];
}

}  // namespace monitor::analysis
