// Query: the parameters of a request, checked against the declaration of its route. The same declarations generate the
// OpenAPI document, so the two cannot differ. Pure functions; fuzzed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "ui/web/schema.h"

namespace monitor::analysis::web {

using Parameters = std::vector<std::pair<std::string, std::string>>;

struct Parameter {
  enum class Type : uint8_t {
    kText,
    kInteger,   // from `min` to `max`
    kTime,      // Unix seconds, RFC 3339, or an age such as -10m
    kDuration,  // such as 60s
    kChoice,    // one of `choices`
  };

  std::string name;
  std::string description;
  Type type = Type::kText;
  bool required = false;
  bool in_path = false;  // the {name} of the route's path
  size_t most = 1;       // how often it may be given; more than once makes it a list
  int64_t min = 0;
  int64_t max = INT64_MAX;
  std::vector<std::string> choices = {};
  std::string otherwise = {};  // the default, as a request would write it; empty: none
  std::string example = {};

  // As an OpenAPI parameter object.
  std::string json() const;
};

class Query {
 public:
  // Rejects unknown names (suggesting the nearest known one), repeated ones, values of another type or out of bounds,
  // and requests without a required parameter. A parameter with an empty value counts as absent.
  static Result<Query> parse(const Parameters& given, const std::vector<Parameter>& declared, int64_t now_ns);

  // The given value, or the declared default, or an empty text.
  std::string text(const std::string& name) const;
  std::vector<std::string> all(const std::string& name) const;
  // Times and durations are in nanoseconds.
  std::optional<int64_t> integer(const std::string& name) const;
  std::optional<int64_t> time(const std::string& name) const { return integer(name); }
  std::optional<int64_t> duration(const std::string& name) const { return integer(name); }

 private:
  Status add(const Parameter& declared, const std::string& value, int64_t now_ns);

  std::multimap<std::string, std::string> values_;
  std::map<std::string, int64_t> numbers_;
};

}  // namespace monitor::analysis::web
