#include "query/matcher.h"

#include <re2/re2.h>

#include <array>

#include "query/labels.h"

namespace monitor::query {
namespace {

constexpr size_t kMaxPattern = 4096;
constexpr int64_t kMaxRegexMemory = 1 << 20;

}  // namespace

Result<std::shared_ptr<const re2::RE2>> compile_regex(const std::string& pattern) {
  if (pattern.size() > kMaxPattern) {
    return Error(Code::kInvalidArgument, "the regular expression has " + std::to_string(pattern.size()) +
                                             " bytes; at most " + std::to_string(kMaxPattern) + " are accepted");
  }
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMaxRegexMemory);
  options.set_dot_nl(true);
  auto regex = std::make_shared<const re2::RE2>("^(?:" + pattern + ")$", options);
  if (!regex->ok()) {
    return Error(Code::kInvalidArgument,
                 // RE2 repeats what it does not understand.
                 "the regular expression " + quote_short(pattern) + " is not valid: " + shorten(regex->error(), 120));
  }
  return regex;
}

Result<Matcher> Matcher::create(Kind kind, std::string label, std::string value) {
  Matcher matcher(kind, std::move(label), std::move(value));
  if (kind == Kind::kRegex || kind == Kind::kNotRegex) {
    auto regex = compile_regex(matcher.value_);
    if (!regex) return regex.error();
    matcher.regex_ = std::move(*regex);
  }
  return matcher;
}

bool Matcher::matches(std::string_view value) const {
  switch (kind_) {
    case Kind::kEqual:
      return value == value_;
    case Kind::kNotEqual:
      return value != value_;
    case Kind::kRegex:
      return re2::RE2::FullMatch(re2::StringPiece(value.data(), value.size()), *regex_);
    case Kind::kNotRegex:
      return !re2::RE2::FullMatch(re2::StringPiece(value.data(), value.size()), *regex_);
  }
  return false;
}

std::string Matcher::to_string() const {
  static constexpr std::array kOperators = {"=", "!=", "=~", "!~"};
  return (plain_label_name(label_) ? label_ : quote(label_)) + kOperators.at(static_cast<size_t>(kind_)) +
         quote(value_);
}

}  // namespace monitor::query
