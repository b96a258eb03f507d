#include "notify/matchers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>

#include "base/text.h"

namespace monitor::notify {

namespace {

using query::Matcher;

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Matchers> list() {
    Matchers result;
    skip_spaces();
    const bool braces = take('{');
    for (skip_spaces(); !at_end() && !(braces && peek() == '}'); skip_spaces()) {
      if (result.size() == kMaxMatchers) return fault(fmt::format("there are more than {} matchers", kMaxMatchers));
      auto one = matcher();
      if (!one) return one.error();
      result.push_back(std::move(*one));
      skip_spaces();
      if (!take(',')) break;
    }
    if (braces && !take('}')) return fault("expected \",\" or \"}\"");
    skip_spaces();
    if (!at_end()) return fault("expected \",\" or the end");
    if (result.empty()) return fault("there is no matcher; expected LABEL=\"VALUE\"");
    return result;
  }

  Result<Matcher> single() {
    skip_spaces();
    auto result = matcher();
    if (!result) return result;
    skip_spaces();
    if (!at_end()) return fault("expected the end");
    return result;
  }

 private:
  bool at_end() const { return at_ >= text_.size(); }
  char peek() const { return text_[at_]; }
  bool take(char c) {
    if (at_end() || peek() != c) return false;
    ++at_;
    return true;
  }
  void skip_spaces() {
    while (!at_end() && std::isspace(static_cast<unsigned char>(peek())) != 0) ++at_;
  }
  Error fault(const std::string& what) const { return fault_at(at_, what); }
  Error fault_at(size_t at, const std::string& what) const {
    return Error(Code::kInvalidArgument,
                 fmt::format("matcher {}, column {}: {}", json_quote(text_.substr(0, 80)), at + 1, what));
  }

  Result<Matcher> matcher() {
    auto name = label();
    if (!name) return name.error();
    skip_spaces();
    const auto kind = operation();
    if (!kind) return fault("expected =, !=, =~ or !~");
    skip_spaces();
    const size_t begin = at_;
    auto value = !at_end() && peek() == '"' ? quoted() : bare();
    if (!value) return value.error();
    auto result = Matcher::create(*kind, std::move(*name), std::move(*value));
    if (!result) return fault_at(begin, result.error().message());
    return result;
  }

  Result<std::string> label() {
    const size_t begin = at_;
    if (!at_end() && peek() == '"') {
      auto name = quoted();
      if (name && name->empty()) return fault_at(begin, "the label's name is empty");
      return name;
    }
    auto name = bare();
    if (name && name->empty()) return fault_at(begin, "expected a label's name, such as severity");
    return name;
  }

  std::optional<Matcher::Kind> operation() {
    if (take('=')) return take('~') ? Matcher::Kind::kRegex : Matcher::Kind::kEqual;
    if (!take('!')) return std::nullopt;
    if (take('=')) return Matcher::Kind::kNotEqual;
    if (take('~')) return Matcher::Kind::kNotRegex;
    return std::nullopt;
  }

  Result<std::string> quoted() {
    const size_t begin = at_++;
    std::string value;
    for (; !at_end() && peek() != '"'; ++at_) {
      if (peek() != '\\') {
        value += peek();
        continue;
      }
      if (++at_ >= text_.size()) break;
      // An unknown escape stays as it is, so that regular expressions need no second backslash.
      if (peek() == 'n') {
        value += '\n';
      } else if (peek() == '"' || peek() == '\\') {
        value += peek();
      } else {
        value += '\\';
        value += peek();
      }
    }
    if (!take('"')) return fault_at(begin, "the text has no closing quote");
    if (!valid_utf8(value)) return fault_at(begin, "the value is not valid UTF-8");
    return value;
  }

  Result<std::string> bare() {
    const size_t begin = at_;
    constexpr std::string_view kReserved = "{}!=~,\\'\"`";
    while (!at_end() && kReserved.find(peek()) == std::string_view::npos &&
           std::isspace(static_cast<unsigned char>(peek())) == 0) {
      ++at_;
    }
    std::string value(text_.substr(begin, at_ - begin));
    if (!valid_utf8(value)) return fault_at(begin, "the value is not valid UTF-8");
    return value;
  }

  std::string_view text_;
  size_t at_ = 0;
};

Status check_size(std::string_view text) {
  if (text.size() <= kMaxMatcherBytes) return {};
  return Error(Code::kInvalidArgument,
               fmt::format("a matcher has {} bytes, expected at most {}", text.size(), kMaxMatcherBytes));
}

}  // namespace

Result<Matcher> parse_matcher(std::string_view text) {
  if (Status good = check_size(text); !good) return good.error();
  return Parser(text).single();
}

Result<Matchers> parse_matcher_list(std::string_view text) {
  if (Status good = check_size(text); !good) return good.error();
  return Parser(text).list();
}

bool matches_all(std::span<const Matcher> matchers, const query::Labels& labels) {
  return std::ranges::all_of(matchers, [&](const Matcher& one) { return one.matches(labels.get(one.label())); });
}

std::string to_string(std::span<const Matcher> matchers) {
  std::vector<std::string> texts;
  texts.reserve(matchers.size());
  for (const Matcher& one : matchers) texts.push_back(one.to_string());
  return "{" + join(texts, ", ") + "}";
}

}  // namespace monitor::notify
