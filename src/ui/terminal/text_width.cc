#include "ui/terminal/text_width.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "base/escape.h"

namespace monitor::analysis {

namespace {

struct Range {
  uint32_t first;
  uint32_t last;
};

// Blocks of combining marks (general category Mn and Me), and the joiners and selectors without a glyph.
constexpr std::array<Range, 31> kCombining = {
    {{0x0300, 0x036F},  {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x0610, 0x061A}, {0x064B, 0x065F}, {0x06D6, 0x06DC},
     {0x0730, 0x074A},  {0x0816, 0x0823}, {0x08E3, 0x0902}, {0x093C, 0x093C}, {0x0941, 0x0948}, {0x094D, 0x094D},
     {0x09BC, 0x09BC},  {0x0A3C, 0x0A42}, {0x0E31, 0x0E31}, {0x0E34, 0x0E3A}, {0x0E47, 0x0E4E}, {0x0EB4, 0x0EBC},
     {0x0F71, 0x0F84},  {0x1160, 0x11FF}, {0x135D, 0x135F}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x200B, 0x200D},
     {0x20D0, 0x20F0},  {0x302A, 0x302D}, {0x3099, 0x309A}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0x1F3FB, 0x1F3FF},
     {0xE0100, 0xE01EF}}};

// East Asian wide and full-width characters, and emoji (Unicode Standard Annex 11).
constexpr std::array<Range, 22> kWide = {
    {{0x1100, 0x115F},   {0x231A, 0x231B},   {0x2329, 0x232A},   {0x23E9, 0x23EC},   {0x25FD, 0x25FE},
     {0x2614, 0x2615},   {0x2648, 0x2653},   {0x26AA, 0x26AB},   {0x2E80, 0x303E},   {0x3041, 0xA4CF},
     {0xA960, 0xA97C},   {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF01, 0xFF60},
     {0xFFE0, 0xFFE6},   {0x16FE0, 0x18AFF}, {0x1B000, 0x1B2FF}, {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF},
     {0x1F900, 0x1FAFF}, {0x20000, 0x3FFFD}}};

bool within(std::span<const Range> ranges, uint32_t code) {
  const auto* const found = std::lower_bound(ranges.data(), ranges.data() + ranges.size(), code,
                                             [](const Range& range, uint32_t wanted) { return range.last < wanted; });
  return found != ranges.data() + ranges.size() && found->first <= code;
}

uint32_t code_point(std::string_view character) {
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<unsigned char>(character[i])); };
  if (character.size() == 1) return byte(0);
  uint32_t code = byte(0) & (0xFFU >> (character.size() + 1));
  for (size_t i = 1; i < character.size(); ++i) code = code << 6 | (byte(i) & 0x3FU);
  return code;
}

struct Character {
  size_t bytes = 1;
  size_t columns = 1;
};

Character next_character(std::string_view text) {
  if (static_cast<unsigned char>(text.front()) < 0x80) return {};
  const size_t bytes = utf8_sequence(text);
  if (bytes == 0) return {};
  const uint32_t code = code_point(text.substr(0, bytes));
  if (within(kCombining, code)) return {bytes, 0};
  return {bytes, within(kWide, code) ? size_t{2} : size_t{1}};
}

// A text that is too long, with its mark at the end.
std::string cut_off(std::string_view text, size_t columns, std::string_view cut) {
  const size_t mark = text_width(cut);
  if (mark >= columns) cut = "";
  std::string out(text_prefix(text, columns - text_width(cut)));
  return out.append(cut);
}

}  // namespace

size_t text_width(std::string_view text) {
  size_t columns = 0;
  while (!text.empty()) {
    const Character one = next_character(text);
    columns += one.columns;
    text.remove_prefix(one.bytes);
  }
  return columns;
}

std::string_view text_prefix(std::string_view text, size_t columns) {
  size_t at = 0;
  while (at < text.size()) {
    const Character one = next_character(text.substr(at));
    if (one.columns > columns) break;
    columns -= one.columns;
    at += one.bytes;
  }
  return text.substr(0, at);
}

std::string fit_left(std::string_view text, size_t columns, std::string_view cut) {
  std::string out = text_width(text) > columns ? cut_off(text, columns, cut) : std::string(text);
  out.append(columns - text_width(out), ' ');
  return out;
}

std::string fit_right(std::string_view text, size_t columns, std::string_view cut) {
  std::string out = text_width(text) > columns ? cut_off(text, columns, cut) : std::string(text);
  out.insert(0, columns - text_width(out), ' ');
  return out;
}

std::string to_ascii(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Character one = next_character(text);
    if (static_cast<unsigned char>(text.front()) < 0x80) {
      out += text.front();
    } else {
      out.append(one.columns, '?');
    }
    text.remove_prefix(one.bytes);
  }
  return out;
}

}  // namespace monitor::analysis
