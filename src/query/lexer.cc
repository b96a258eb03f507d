#include "query/lexer.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>
#include <utility>

#include "query/duration.h"
#include "query/labels.h"

namespace monitor::query {
namespace {

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }
bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }

std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
    uint64_t whole = 0;
    const auto [end, error] = std::from_chars(text.data() + 2, text.data() + text.size(), whole, 16);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return static_cast<double>(whole);
  }
  // from_chars accepts "inf" and "nan" too; the caller passes texts that begin with a digit or a point only.
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range) return std::nullopt;
  return value;
}

class Lexer {
 public:
  explicit Lexer(std::string_view query) : query_(query) {}

  Result<std::vector<Token>> run() {
    for (skip_space(); at_ < query_.size(); skip_space()) {
      if (auto status = next(); !status) return status.error();
    }
    emit(TokenKind::kEnd, at_);
    return std::move(tokens_);
  }

 private:
  char peek(size_t ahead = 0) const { return at_ + ahead < query_.size() ? query_[at_ + ahead] : '\0'; }

  void skip_space() {
    while (at_ < query_.size()) {
      if (std::isspace(static_cast<unsigned char>(peek())) != 0) {
        ++at_;
      } else if (peek() == '#') {
        at_ = std::min(query_.find('\n', at_), query_.size());
      } else {
        return;
      }
    }
  }

  Token& emit(TokenKind kind, size_t begin) {
    tokens_.push_back(
        {.kind = kind, .text = std::string(query_.substr(begin, at_ - begin)), .begin = begin, .end = at_});
    return tokens_.back();
  }

  Status next() {
    const char c = peek();
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number();
    // Between brackets a colon separates a subquery's range and step; elsewhere it is part of a name.
    if (is_letter(c) || (c == ':' && brackets_ == 0)) return identifier();
    if (c == '"' || c == '\'' || c == '`') return string();
    return symbol();
  }

  Status identifier() {
    const size_t begin = at_;
    while (is_letter(peek()) || is_digit(peek()) || (peek() == ':' && brackets_ == 0)) ++at_;
    emit(TokenKind::kIdentifier, begin);
    return {};
  }

  Status number() {
    const size_t begin = at_;
    bool decimal = true;
    while (is_letter(peek()) || is_digit(peek()) || peek() == '.') {
      const bool exponent = decimal && (peek() == 'e' || peek() == 'E');
      decimal = decimal && (is_digit(peek()) || peek() == '.');
      ++at_;
      if (exponent && (peek() == '+' || peek() == '-') && is_digit(peek(1))) ++at_;
    }
    const std::string_view text = query_.substr(begin, at_ - begin);
    if (const auto value = parse_number(text)) {
      emit(TokenKind::kNumber, begin).number = *value;
    } else if (const auto ms = parse_duration_ms(text)) {
      emit(TokenKind::kDuration, begin).duration_ms = *ms;
    } else {
      return error_at(query_, begin, quote_short(text) + " is neither a number nor a duration such as 5m or 1h30m");
    }
    return {};
  }

  Status string() {
    const size_t begin = at_;
    const char delimiter = peek();
    std::string content;
    for (++at_; peek() != delimiter; ++at_) {
      if (at_ >= query_.size() || (peek() == '\n' && delimiter != '`')) {
        return error_at(query_, begin, "the string has no closing quote");
      }
      if (peek() != '\\' || delimiter == '`') {
        content += peek();
      } else if (auto status = escape(delimiter, content); !status) {
        return status;
      }
    }
    ++at_;
    emit(TokenKind::kString, begin).text = std::move(content);
    return {};
  }

  // At the backslash; leaves `at_` on the last character of the escape.
  Status escape(char delimiter, std::string& content) {
    const size_t begin = at_++;
    static constexpr std::string_view kPlain = "abfnrtv\\";
    static constexpr std::string_view kMeaning = "\a\b\f\n\r\t\v\\";
    const char c = peek();
    if (c == delimiter) {
      content += c;
      return {};
    }
    if (const size_t known = kPlain.find(c); c != '\0' && known != std::string_view::npos) {
      content += kMeaning[known];
      return {};
    }
    if (c == 'x') return code_point(begin, 1, 2, 16, content);
    if (c == 'u') return code_point(begin, 1, 4, 16, content);
    if (c == 'U') return code_point(begin, 1, 8, 16, content);
    if (c >= '0' && c <= '7') return code_point(begin, 0, 3, 8, content);
    return error_at(query_, begin, "unknown escape sequence; write a backslash as \\\\");
  }

  Status code_point(size_t begin, size_t skip, size_t digits, int base, std::string& content) {
    uint32_t value = 0;
    const std::string_view text = query_.substr(at_ + skip, digits);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc() || text.size() != digits || end != text.data() + digits) {
      return error_at(query_, begin, "the escape sequence needs " + std::to_string(digits) + " digits");
    }
    const bool byte = digits == 2 || base == 8;
    if (byte ? value > 255 : value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) {
      return error_at(query_, begin, "the escape sequence is no character");
    }
    append(value, byte, content);
    at_ += skip + digits - 1;
    return {};
  }

  static void append(uint32_t value, bool byte, std::string& content) {
    if (byte || value < 0x80) {
      content += static_cast<char>(value);
      return;
    }
    const int more = value < 0x800 ? 1 : value < 0x10000 ? 2 : 3;
    static constexpr std::array<uint32_t, 4> kFirst = {0, 0xc0, 0xe0, 0xf0};
    content += static_cast<char>(kFirst.at(static_cast<size_t>(more)) | (value >> (6 * more)));
    for (int i = more - 1; i >= 0; --i) content += static_cast<char>(0x80 | ((value >> (6 * i)) & 0x3f));
  }

  Status symbol() {
    static constexpr std::array<std::string_view, 6> kTwo = {"==", "!=", "=~", "!~", "<=", ">="};
    const size_t begin = at_;
    const std::string_view two = query_.substr(at_, 2);
    if (two == "</" || two == ">/") {
      return error_at(query_, begin, "the operator " + std::string(two) + " on histograms is not supported",
                      Code::kUnimplemented);
    }
    if (std::ranges::find(kTwo, two) != kTwo.end()) {
      at_ += 2;
      emit(TokenKind::kOperator, begin);
      return {};
    }
    const char c = peek();
    ++at_;
    if (std::string_view("+-*/%^=<>").find(c) != std::string_view::npos) {
      emit(TokenKind::kOperator, begin);
      return {};
    }
    if (std::string_view("(){}[],:@").find(c) != std::string_view::npos) {
      if (c == '[') ++brackets_;
      if (c == ']' && brackets_ > 0) --brackets_;
      emit(TokenKind::kPunctuation, begin);
      return {};
    }
    const bool in_name = c == '.' && !tokens_.empty() && tokens_.back().end == begin;
    return error_at(query_, begin,
                    "unexpected character " + quote(query_.substr(begin, 1)) +
                        (in_name ? "; a name with dots is quoted in braces: {\"system.cpu.utilization\"}" : ""));
  }

  std::string_view query_;
  size_t at_ = 0;
  int brackets_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace

Result<std::vector<Token>> tokenize(std::string_view query) { return Lexer(query).run(); }

std::string place_of(std::string_view query, size_t byte) {
  const std::string_view before = query.substr(0, std::min(byte, query.size()));
  const auto line = std::ranges::count(before, '\n') + 1;
  const size_t line_begin = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  const auto column = std::ranges::count_if(before.substr(line_begin), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;  // not the later bytes of a character
  });
  return std::to_string(line) + ":" + std::to_string(column + 1);
}

Error error_at(std::string_view query, size_t byte, const std::string& text, Code code) {
  return Error(code, place_of(query, byte) + ": " + text);
}

}  // namespace monitor::query
