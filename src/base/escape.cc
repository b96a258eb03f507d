#include "base/escape.h"

#include <algorithm>
#include <array>

#include "base/hex.h"

namespace monitor {

size_t utf8_sequence(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](size_t i, unsigned char low = 0x80, unsigned char high = 0xBF) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  if (text.empty()) return 0;
  const unsigned char b = byte(0);
  if (b < 0x80) return 1;
  if (b >= 0xC2 && b <= 0xDF) return continues(1) ? 2 : 0;
  if (b >= 0xE0 && b <= 0xEF) {
    const unsigned char low = b == 0xE0 ? 0xA0 : 0x80;
    const unsigned char high = b == 0xED ? 0x9F : 0xBF;
    return continues(1, low, high) && continues(2) ? 3 : 0;
  }
  if (b >= 0xF0 && b <= 0xF4) {
    const unsigned char low = b == 0xF0 ? 0x90 : 0x80;
    const unsigned char high = b == 0xF4 ? 0x8F : 0xBF;
    return continues(1, low, high) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// Decodes a well-formed sequence.
char32_t decode_utf8(std::string_view sequence) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(sequence[i]); };
  if (sequence.size() == 1) return byte(0);
  constexpr std::array<unsigned, 5> kLeadBits = {0, 0x7F, 0x1F, 0x0F, 0x07};
  char32_t code = byte(0) & kLeadBits[sequence.size()];
  for (size_t i = 1; i < sequence.size(); ++i) code = code << 6 | (byte(i) & 0x3F);
  return code;
}

struct Span {
  char32_t first;
  char32_t last;
};
// Characters that control a terminal (C0, DEL, C1), end a line (U+2028, U+2029), reorder text (U+061C, U+200E to
// U+202E, U+2066 to U+2069), or are invisible (zero width, annotation, tags).
constexpr std::array<Span, 10> kEscaped = {{{0x00, 0x1F},
                                            {0x7F, 0x9F},
                                            {0x061C, 0x061C},
                                            {0x180E, 0x180E},
                                            {0x200B, 0x200F},
                                            {0x2028, 0x202E},
                                            {0x2060, 0x206F},
                                            {0xFEFF, 0xFEFF},
                                            {0xFFF9, 0xFFFB},
                                            {0xE0000, 0xE007F}}};

bool is_escaped(char32_t code) {
  return std::ranges::any_of(kEscaped, [code](const Span& span) { return code >= span.first && code <= span.last; });
}

void append_unit(std::string& out, char32_t unit) {
  out += "\\u";
  for (const int shift : {12, 8, 4, 0}) out += hex_digit(unit >> shift);
}

// JSON escape: characters above U+FFFF become surrogate pairs.
void append_escaped(std::string& out, char32_t code) {
  if (code == '\n') {
    out += "\\n";
  } else if (code == '\t') {
    out += "\\t";
  } else if (code == '\r') {
    out += "\\r";
  } else if (code <= 0xFFFF) {
    append_unit(out, code);
  } else {
    append_unit(out, 0xD800 + ((code - 0x10000) >> 10));
    append_unit(out, 0xDC00 + ((code - 0x10000) & 0x3FF));
  }
}

}  // namespace

std::string escape_text(std::string_view text, std::string_view special, std::string_view kept) {
  std::string out;
  out.reserve(text.size() + 2);
  const auto is_plain = [special](char c) {
    return c >= ' ' && c < '\x7F' && special.find(c) == std::string_view::npos;
  };
  while (!text.empty()) {
    // Most text has nothing but these.
    const auto plain = static_cast<size_t>(std::ranges::find_if_not(text, is_plain) - text.begin());
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const size_t length = utf8_sequence(text);
    if (length == 0) {
      out += kReplacement;
      text.remove_prefix(1);
      continue;
    }
    const std::string_view sequence = text.substr(0, length);
    const char32_t code = decode_utf8(sequence);
    const bool stays = length == 1 && kept.find(sequence[0]) != std::string_view::npos;
    if (is_escaped(code) && !stays) {
      append_escaped(out, code);
    } else {
      if (length == 1 && special.find(sequence[0]) != std::string_view::npos) out += '\\';
      out += sequence;
    }
    text.remove_prefix(length);
  }
  return out;
}

std::string printable(std::string_view text) { return escape_text(text); }

std::string printable_lines(std::string_view text) { return escape_text(text, "", "\n\t"); }

std::string csv_field(std::string_view text) {
  std::string field = printable(text);
  if (text.find_first_of("=+-@\t\r") == 0) field.insert(0, 1, '\'');
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return field;
  std::string out = "\"";
  for (const char c : field) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

}  // namespace monitor
