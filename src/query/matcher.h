// Matcher: one condition of a selector on a label, such as job=~"web-.*".
//
// Regular expressions are RE2's, anchored at both ends, as in Prometheus. Their time is linear in the text, and their
// memory is bounded, so that no expression can hang a query.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace re2 {
class RE2;
}

namespace monitor::query {

// Compiles a regular expression that must match the whole text. Errors: kInvalidArgument, with RE2's reason.
Result<std::shared_ptr<const re2::RE2>> compile_regex(const std::string& pattern);

// Immutable; may be shared by threads.
class Matcher {
 public:
  enum class Kind : uint8_t { kEqual, kNotEqual, kRegex, kNotRegex };

  // Errors: kInvalidArgument, the regular expression is not valid or needs too much memory.
  static Result<Matcher> create(Kind kind, std::string label, std::string value);

  // The value of a missing label is "".
  bool matches(std::string_view value) const;

  Kind kind() const { return kind_; }
  bool has_regex() const { return regex_ != nullptr; }
  const std::string& label() const { return label_; }
  const std::string& value() const { return value_; }
  // job=~"web-.*"
  std::string to_string() const;

 private:
  Matcher(Kind kind, std::string label, std::string value)
      : kind_(kind), label_(std::move(label)), value_(std::move(value)) {}

  Kind kind_;
  std::string label_;
  std::string value_;
  std::shared_ptr<const re2::RE2> regex_;
};

}  // namespace monitor::query
