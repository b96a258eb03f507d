// Options: reads a plugin's configuration. Every accessor names an option with its default and its bounds. The first
// invalid value is recorded as the problem. An option that no accessor has read counts as unknown.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/validate.h"
#include "metrics/series.h"

namespace monitor::agent {

// A pattern of series: shell patterns (* and ?) for the name and for labels. All of them must match.
struct SeriesPattern {
  std::string name = "*";
  std::vector<std::pair<std::string, std::string>> labels;

  bool matches(const metrics::Series& series) const;
};

class Options {
 public:
  // `object` must be a JSON object and outlive this one.
  explicit Options(const nlohmann::json& object) : object_(object) {}

  double number(std::string_view name, double default_value, double min, double max);
  // Returns nanoseconds. The option is a number of seconds, or a string with a unit.
  int64_t duration(std::string_view name, int64_t default_ns, int64_t min_ns, int64_t max_ns);
  std::string text(std::string_view name, std::string_view default_value);
  std::string one_of(std::string_view name, std::string_view default_value, const std::vector<std::string>& known);
  bool boolean(std::string_view name, bool default_value);
  // A list of strings; a single string counts as a list of one.
  std::vector<std::string> names(std::string_view name);
  // An object of strings, ordered by name.
  std::vector<std::pair<std::string, std::string>> texts(std::string_view name);
  // A pattern, or a list of patterns; a string is a pattern for the name.
  std::vector<SeriesPattern> patterns(std::string_view name);
  bool has(std::string_view name) const;
  // Reports a problem that only the plugin can detect.
  void refuse(std::string_view name, std::string message);

  // The first problem, including unknown options. Its path is relative to the object.
  std::optional<config::Problem> problem() const;

 private:
  const nlohmann::json* find(std::string_view name);
  std::optional<SeriesPattern> pattern(const std::string& path, const nlohmann::json& value);
  void fail(const std::string& path, std::string message, const nlohmann::json& got);

  const nlohmann::json& object_;
  std::vector<std::string> asked_;
  std::optional<config::Problem> problem_;
};

}  // namespace monitor::agent
