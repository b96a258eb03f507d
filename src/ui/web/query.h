// Query: the parameters of a request, checked against what its route declares. The same declarations describe the
// parameters in the OpenAPI document, so that the two cannot differ. Pure functions; fuzzed.
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
  size_t most = 1;       // how many times it may be given; more than once: a list
  int64_t min = 0;
  int64_t max = INT64_MAX;
  std::vector<std::string> choices = {};
  std::string otherwise = {};  // the default, as a request would spell it; empty: none
  std::string example = {};

  // As an OpenAPI parameter object.
  std::string json() const;
};

class Query {
 public:
  // Rejects unknown names (naming the nearest known one), repeated ones, values of another type or out of bounds, and
  // requests that lack a required parameter. A parameter that is given without a value counts as absent.
  static Result<Query> parse(const Parameters& given, const std::vector<Parameter>& declared, int64_t now_ns);

  // The value that was given, or the declared default; else empty.
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
