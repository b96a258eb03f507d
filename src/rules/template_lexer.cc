#include "rules/template_lexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/text.h"

namespace monitor::rules::templates {

namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || is_digit(c) ||
         static_cast<unsigned char>(c) >= 0x80;
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Result<std::vector<Token>> run() {
    while (at_ < text_.size()) {
      if (auto status = literal_then_action(); !status) return status.error();
    }
    tokens_.push_back({Token::Kind::kEnd, "", text_.size()});
    return std::move(tokens_);
  }

 private:
  Error error(size_t at, const std::string& what) const {
    const Place place = place_in(text_, at);
    return {Code::kInvalidArgument, fmt::format("{}:{}: {}", place.line, place.column, what)};
  }

  Status literal_then_action() {
    const size_t open = text_.find("{{", at_);
    std::string_view literal = text_.substr(at_, open == std::string_view::npos ? open : open - at_);
    const size_t literal_at = at_;
    if (trim_next_) {
      while (!literal.empty() && is_space(literal.front())) literal.remove_prefix(1);
    }
    trim_next_ = false;
    at_ = open == std::string_view::npos ? text_.size() : open + 2;
    if (open != std::string_view::npos && at_ + 1 < text_.size() && text_[at_] == '-' && is_space(text_[at_ + 1])) {
      while (!literal.empty() && is_space(literal.back())) literal.remove_suffix(1);
      ++at_;
    }
    if (!literal.empty()) tokens_.push_back({Token::Kind::kText, std::string(literal), literal_at});
    return open == std::string_view::npos ? Status() : action(open);
  }

  Status action(size_t open) {
    size_t start = at_;
    while (start < text_.size() && is_space(text_[start])) ++start;
    if (text_.substr(start).starts_with("/*")) return comment(open, start);
    tokens_.push_back({Token::Kind::kActionBegin, "{{", open});
    while (true) {
      const size_t before = at_;
      while (at_ < text_.size() && is_space(text_[at_])) ++at_;
      if (at_ >= text_.size()) return error(open, "the action that begins here does not end; expected }}");
      const bool spaced = at_ > before;
      const std::string_view rest = text_.substr(at_);
      if (rest.starts_with("}}") || (spaced && rest.starts_with("-}}"))) {
        trim_next_ = rest[0] == '-';
        tokens_.push_back({Token::Kind::kActionEnd, "}}", at_});
        at_ += trim_next_ ? 3 : 2;
        return {};
      }
      if (auto status = token(spaced); !status) return status;
    }
  }

  Status comment(size_t open, size_t start) {
    const size_t end = text_.find("*/", start + 2);
    if (end == std::string_view::npos) return error(open, "the comment that begins here does not end");
    at_ = end + 2;
    size_t close = at_;
    while (close < text_.size() && is_space(text_[close])) ++close;
    if (close > at_ && text_.substr(close).starts_with("-}}")) {
      trim_next_ = true;
      at_ = close + 3;
      return {};
    }
    if (!text_.substr(at_).starts_with("}}")) return error(open, "a comment must be followed by }}");
    at_ += 2;
    return {};
  }

  Status token(bool spaced) {
    const size_t begin = at_;
    const char c = text_[at_];
    const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    if (c == '"' || c == '`' || c == '\'') return quoted(spaced);
    if (is_digit(c) || ((c == '-' || c == '+' || c == '.') && is_digit(next))) {
      ++at_;
      while (at_ < text_.size() &&
             (is_word(text_[at_]) || text_[at_] == '.' ||
              ((text_[at_] == '-' || text_[at_] == '+') && (text_[at_ - 1] == 'e' || text_[at_ - 1] == 'E')))) {
        ++at_;
      }
      return add(Token::Kind::kNumber, begin, spaced);
    }
    if (c == '$' || (c == '.' && is_word(next)) || is_word(c)) {
      ++at_;
      while (at_ < text_.size() && is_word(text_[at_])) ++at_;
      return add(c == '$' ? Token::Kind::kVariable : (c == '.' ? Token::Kind::kField : Token::Kind::kWord), begin,
                 spaced);
    }
    at_ += c == ':' && next == '=' ? 2 : 1;
    if (c == '.') return add(Token::Kind::kDot, begin, spaced);
    if (c == '|' || c == '(' || c == ')' || c == ',' || c == '=' || (c == ':' && next == '=')) {
      return add(Token::Kind::kSymbol, begin, spaced);
    }
    return error(begin, fmt::format("{} is not expected in an action", json_quote(text_.substr(begin, 1))));
  }

  Status add(Token::Kind kind, size_t begin, bool spaced) {
    tokens_.push_back({kind, std::string(text_.substr(begin, at_ - begin)), begin, spaced});
    return {};
  }

  Status quoted(bool spaced) {
    const size_t begin = at_;
    const char mark = text_[at_++];
    std::string value;
    while (true) {
      if (at_ >= text_.size() || (mark != '`' && text_[at_] == '\n')) {
        return error(begin, "the text that begins here does not end");
      }
      const char c = text_[at_++];
      if (c == mark) break;
      if (c != '\\' || mark == '`') {
        value += c;
        continue;
      }
      if (auto status = escape(value); !status) return status;
    }
    if (mark == '\'') return error(begin, "a character in '' is not supported; write a text in \"\"");
    tokens_.push_back({Token::Kind::kString, std::move(value), begin, spaced});
    return {};
  }

  Status escape(std::string& value) {
    static constexpr std::string_view kFrom = "abfnrtv\\\"'";
    static constexpr std::string_view kTo = "\a\b\f\n\r\t\v\\\"'";
    const char c = at_ < text_.size() ? text_[at_] : '\0';
    if (const size_t index = kFrom.find(c); c != '\0' && index != std::string_view::npos) {
      value += kTo[index];
      ++at_;
      return {};
    }
    const int digits = c == 'x' ? 2 : (c == 'u' ? 4 : (c == 'U' ? 8 : 0));
    uint32_t code = 0;
    const std::string_view hex = text_.substr(std::min(at_ + 1, text_.size()), static_cast<size_t>(digits));
    const auto [end, fault] = std::from_chars(hex.data(), hex.data() + hex.size(), code, 16);
    if (digits == 0 || fault != std::errc() || end != hex.data() + digits || code > 0x10FFFF) {
      return error(at_ - 1, "the escape is not valid; expected one of \\n \\t \\\\ \\\" \\xHH \\uHHHH");
    }
    at_ += 1 + static_cast<size_t>(digits);
    append_utf8(code, digits == 2, value);
    return {};
  }

  static void append_utf8(uint32_t code, bool byte, std::string& out) {
    if (byte || code < 0x80) {
      out += static_cast<char>(code);
    } else if (code < 0x800) {
      out += {static_cast<char>(0xC0U | (code >> 6U)), static_cast<char>(0x80U | (code & 0x3FU))};
    } else if (code < 0x10000) {
      out += {static_cast<char>(0xE0U | (code >> 12U)), static_cast<char>(0x80U | ((code >> 6U) & 0x3FU)),
              static_cast<char>(0x80U | (code & 0x3FU))};
    } else {
      out += {static_cast<char>(0xF0U | (code >> 18U)), static_cast<char>(0x80U | ((code >> 12U) & 0x3FU)),
              static_cast<char>(0x80U | ((code >> 6U) & 0x3FU)), static_cast<char>(0x80U | (code & 0x3FU))};
    }
  }

  std::string_view text_;
  size_t at_ = 0;
  bool trim_next_ = false;
  std::vector<Token> tokens_;
};

}  // namespace

Place place_in(std::string_view text, size_t at) {
  Place place;
  for (const char c : text.substr(0, at)) {
    if (c == '\n') {
      place = {place.line + 1, 1};
    } else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80) {
      ++place.column;
    }
  }
  return place;
}

Result<std::vector<Token>> tokens_of(std::string_view text) { return Lexer(text).run(); }

}  // namespace monitor::rules::templates
