// BrailleCanvas: dots drawn with the characters U+2800 to U+28FF, two by four dots a character. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace monitor::analysis {

// From the left and from the top.
struct Dot {
  int64_t x = 0;
  int64_t y = 0;
};

class BrailleCanvas {
 public:
  static constexpr size_t kDotsAcross = 2;  // of a character
  static constexpr size_t kDotsDown = 4;

  // In characters.
  BrailleCanvas(size_t columns, size_t rows) : columns_(columns), rows_(rows), cells_(columns * rows, 0) {}

  size_t dots_across() const { return columns_ * kDotsAcross; }
  size_t dots_down() const { return rows_ * kDotsDown; }

  // Both ends are included. They must be on the canvas.
  void line(const Dot& from, const Dot& to);
  std::vector<std::string> lines() const;

 private:
  void set(size_t x, size_t y);

  size_t columns_;
  size_t rows_;
  std::vector<unsigned> cells_;
};

}  // namespace monitor::analysis
