#include "plugins/api/options.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "base/time_format.h"

namespace monitor::agent {

using nlohmann::json;

bool SeriesPattern::matches(const metrics::Series& series) const {
  if (!glob_match(name, series.name)) return false;
  return std::all_of(labels.begin(), labels.end(), [&](const auto& label) {
    const auto& [key, pattern] = label;
    const bool there =
        std::any_of(series.labels.begin(), series.labels.end(), [&](const auto& l) { return l.first == key; });
    return there && glob_match(pattern, metrics::label_value(series.labels, key));
  });
}

const json* Options::find(std::string_view name) {
  asked_.emplace_back(name);
  const auto found = object_.find(std::string(name));
  return found == object_.end() ? nullptr : &*found;
}

bool Options::has(std::string_view name) const { return object_.contains(std::string(name)); }

void Options::fail(const std::string& path, std::string message, const json& got) {
  if (problem_) return;
  config::Problem problem;
  problem.path = path;
  problem.message = std::move(message);
  problem.got = config::shortened(got);
  problem_ = std::move(problem);
}

void Options::refuse(std::string_view name, std::string message) {
  const auto found = object_.find(std::string(name));
  fail(config::pointer_step(name), std::move(message), found == object_.end() ? json() : *found);
}

double Options::number(std::string_view name, double default_value, double min, double max) {
  const json* const value = find(name);
  if (value == nullptr) return default_value;
  // NaN fails both comparisons, so a value of another type is rejected as well.
  const double number = value->is_number() ? value->get<double>() : std::nan("");
  if (number >= min && number <= max) return number;
  fail(config::pointer_step(name), fmt::format("must be a number from {:g} to {:g}", min, max), *value);
  return default_value;
}

int64_t Options::duration(std::string_view name, int64_t default_ns, int64_t min_ns, int64_t max_ns) {
  const json* const value = find(name);
  if (value == nullptr) return default_ns;
  double ns = -1;
  if (value->is_number()) ns = value->get<double>() * static_cast<double>(kNanosPerSecond);
  if (value->is_string()) {
    const auto parsed = parse_duration(value->get<std::string>());
    if (parsed) ns = static_cast<double>(*parsed);
  }
  if (ns >= static_cast<double>(min_ns) && ns <= static_cast<double>(max_ns)) return std::llround(ns);
  fail(config::pointer_step(name),
       fmt::format("must be a time from {} to {} (seconds, or with a unit)", format_duration(min_ns),
                   format_duration(max_ns)),
       *value);
  return default_ns;
}

std::string Options::text(std::string_view name, std::string_view default_value) {
  const json* const value = find(name);
  if (value == nullptr) return std::string(default_value);
  if (value->is_string() && !value->get_ref<const std::string&>().empty()) return value->get<std::string>();
  fail(config::pointer_step(name), "must be a string that is not empty", *value);
  return std::string(default_value);
}

std::string Options::one_of(std::string_view name, std::string_view default_value,
                            const std::vector<std::string>& known) {
  std::string got = text(name, default_value);
  if (std::find(known.begin(), known.end(), got) != known.end()) return got;
  fail(config::pointer_step(name), fmt::format("must be one of {}", join(known, ", ")), got);
  if (problem_) problem_->known = nearest(got, known).value_or("");
  return std::string(default_value);
}

bool Options::boolean(std::string_view name, bool default_value) {
  const json* const value = find(name);
  if (value == nullptr) return default_value;
  if (value->is_boolean()) return value->get<bool>();
  fail(config::pointer_step(name), "must be true or false", *value);
  return default_value;
}

std::vector<std::string> Options::names(std::string_view name) {
  std::vector<std::string> result;
  const json* const value = find(name);
  if (value == nullptr) return result;
  if (value->is_string()) return {value->get<std::string>()};
  const bool texts =
      value->is_array() && std::all_of(value->begin(), value->end(), [](const json& one) { return one.is_string(); });
  if (texts) return value->get<std::vector<std::string>>();
  fail(config::pointer_step(name), "must be a string or a list of strings", *value);
  return result;
}

std::vector<std::pair<std::string, std::string>> Options::texts(std::string_view name) {
  std::vector<std::pair<std::string, std::string>> result;
  const json* const value = find(name);
  if (value == nullptr) return result;
  if (!value->is_object()) {
    fail(config::pointer_step(name), "must be an object with string values", *value);
    return result;
  }
  for (const auto& [key, text] : value->items()) {
    if (text.is_string()) {
      result.emplace_back(key, text.get<std::string>());
    } else {
      fail(config::pointer_step(name) + config::pointer_step(key), "must be a string", text);
    }
  }
  return result;
}

std::optional<SeriesPattern> Options::pattern(const std::string& path, const json& value) {
  SeriesPattern pattern;
  const auto is_nothing = [](const json& text) {
    return text.is_string() && text.get_ref<const std::string&>().empty();
  };
  if (is_nothing(value) || (value.is_object() && (value.empty() || is_nothing(value.value("name", json()))))) {
    fail(path, R"(a pattern must not be empty; "*" stands for all)", value);
    return std::nullopt;
  }
  if (value.is_string()) {
    pattern.name = value.get<std::string>();
    return pattern;
  }
  if (!value.is_object()) {
    fail(path, R"(must be a pattern, as "system.disk.*" or {"name": "system.*", "labels": {"system.device": "sd*"}})",
         value);
    return std::nullopt;
  }
  for (const auto& [key, part] : value.items()) {
    if (key == "name" && part.is_string()) {
      pattern.name = part.get<std::string>();
    } else if (key == "labels" && part.is_object()) {
      for (const auto& [label, text] : part.items()) {
        if (!text.is_string()) {
          fail(path + "/labels" + config::pointer_step(label), "must be a string", text);
          return std::nullopt;
        }
        pattern.labels.emplace_back(label, text.get<std::string>());
      }
    } else {
      fail(path + config::pointer_step(key), "a pattern has \"name\" (a string) and \"labels\" (an object of strings)",
           part);
      return std::nullopt;
    }
  }
  return pattern;
}

std::vector<SeriesPattern> Options::patterns(std::string_view name) {
  std::vector<SeriesPattern> result;
  const json* const value = find(name);
  if (value == nullptr) return result;
  const std::string path = config::pointer_step(name);
  if (!value->is_array()) {
    if (auto one = pattern(path, *value)) result.push_back(std::move(*one));
    return result;
  }
  for (size_t i = 0; i < value->size(); ++i) {
    if (auto one = pattern(fmt::format("{}/{}", path, i), (*value)[i])) result.push_back(std::move(*one));
  }
  return result;
}

std::optional<config::Problem> Options::problem() const {
  if (problem_) return problem_;
  for (const auto& [name, value] : object_.items()) {
    if (std::find(asked_.begin(), asked_.end(), name) != asked_.end()) continue;
    config::Problem problem;
    problem.path = config::pointer_step(name);
    problem.message = fmt::format("unknown option (known: {})", asked_.empty() ? "none" : join(asked_, ", "));
    problem.got = json_quote(name);
    problem.known = nearest(name, asked_).value_or("");
    return problem;
  }
  return std::nullopt;
}

}  // namespace monitor::agent
