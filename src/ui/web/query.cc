#include "ui/web/query.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/clock.h"
#include "base/text.h"
#include "base/time_format.h"

namespace monitor::analysis::web {

namespace {

constexpr size_t kMostParameters = 300;
constexpr size_t kLongestValue = 4096;
constexpr size_t kLongestEcho = 64;  // bytes of a wrong value that an error quotes

Error wrong(const std::string& name, std::string_view why) {
  return Error(Code::kInvalidArgument, fmt::format("query: {}: {}", name, why));
}

Error unexpected(const std::string& name, const std::string& got, std::string_view expected) {
  return wrong(name, fmt::format("got {}, expected {}", json_quote(got.substr(0, kLongestEcho)), expected));
}

std::string listed(const std::vector<std::string>& choices) {
  std::string out;
  for (size_t i = 0; i < choices.size(); ++i) {
    out += (i == 0 ? "" : i + 1 == choices.size() ? " or " : ", ") + choices[i];
  }
  return out;
}

std::optional<int64_t> time_of(const std::string& text, int64_t now_ns) {
  if (text.starts_with('-')) {
    const auto age = parse_duration(text.substr(1));
    return age ? std::optional(now_ns - std::min(*age, now_ns)) : std::nullopt;
  }
  if (const auto seconds = parse_double(text)) {
    constexpr double kMost = 9e9;  // in the 23rd century; later nanoseconds do not fit into 64 bits
    if (!std::isfinite(*seconds) || *seconds < 0 || *seconds >= kMost) return std::nullopt;
    return static_cast<int64_t>(std::llround(*seconds * 1e6)) * 1000;
  }
  const auto time = parse_rfc3339(text);
  return time ? std::optional(*time) : std::nullopt;
}

// The number that `text` denotes; none for texts and choices.
Result<std::optional<int64_t>> number_of(const Parameter& declared, const std::string& text, int64_t now_ns) {
  switch (declared.type) {
    case Parameter::Type::kInteger: {
      const auto number = parse_i64(text);
      if (number && *number >= declared.min && *number <= declared.max) return std::optional(*number);
      return unexpected(declared.name, text, fmt::format("an integer from {} to {}", declared.min, declared.max));
    }
    case Parameter::Type::kTime:
      if (const auto time = time_of(text, now_ns)) return time;
      return unexpected(declared.name, text,
                        "Unix seconds, a time such as 2026-11-22T12:00:00Z, or an age such as -10m");
    case Parameter::Type::kDuration: {
      const auto duration = parse_duration(text);
      if (!duration) return wrong(declared.name, duration.error().message());
      return std::optional(*duration);
    }
    case Parameter::Type::kChoice:
      if (std::ranges::find(declared.choices, text) != declared.choices.end()) return std::optional<int64_t>();
      return unexpected(declared.name, text, listed(declared.choices));
    case Parameter::Type::kText:
      break;
  }
  return std::optional<int64_t>();
}

Error unknown(const std::string& name, const std::vector<Parameter>& declared) {
  std::vector<std::string> names;
  names.reserve(declared.size());
  for (const Parameter& one : declared) names.push_back(one.name);
  const auto near = nearest(name, names);
  return Error(Code::kInvalidArgument,
               fmt::format("query: unknown parameter {}{}", json_quote(name.substr(0, kLongestEcho)),
                           near ? "; did you mean " + json_quote(*near) + "?" : ""));
}

Schema schema_of(const Parameter& parameter) {
  const auto quoted_default = [&](Schema made) {
    if (parameter.otherwise.empty()) return made;
    return std::move(made).with("default", json_quote(parameter.otherwise));
  };
  switch (parameter.type) {
    case Parameter::Type::kInteger: {
      Schema made = schema::integer().with("minimum", std::to_string(parameter.min));
      if (parameter.max != INT64_MAX) made = std::move(made).with("maximum", std::to_string(parameter.max));
      return parameter.otherwise.empty() ? made : std::move(made).with("default", parameter.otherwise);
    }
    case Parameter::Type::kChoice:
      return quoted_default(schema::one_of({parameter.choices.begin(), parameter.choices.end()}));
    default:
      return quoted_default(schema::text());
  }
}

std::string described(const Parameter& parameter) {
  std::string text = parameter.description;
  if (parameter.type == Parameter::Type::kTime) {
    text += " Unix seconds, a time such as 2026-11-22T12:00:00Z, or an age such as -10m.";
  } else if (parameter.type == Parameter::Type::kDuration) {
    text += " A duration such as 500ms, 60s or 2h.";
  }
  return text;
}

}  // namespace

std::string Parameter::json() const {
  Schema value = schema_of(*this);
  if (most > 1) value = schema::list(value).with("maxItems", std::to_string(most));
  std::string out =
      fmt::format(R"({{"name":{},"in":"{}","required":{},"description":{},"schema":{})", json_quote(name),
                  in_path ? "path" : "query", required || in_path, json_quote(described(*this)), value.json());
  if (!example.empty()) out += ",\"example\":" + (type == Type::kInteger ? example : json_quote(example));
  return out + "}";
}

Result<Query> Query::parse(const Parameters& given, const std::vector<Parameter>& declared, int64_t now_ns) {
  if (given.size() > kMostParameters) {
    return Error(Code::kInvalidArgument,
                 fmt::format("query: got {} parameters, expected at most {}", given.size(), kMostParameters));
  }
  Query query;
  for (const auto& [name, value] : given) {
    const auto found = std::ranges::find(declared, name, &Parameter::name);
    if (found == declared.end()) return unknown(name, declared);
    if (Status added = query.add(*found, value, now_ns); !added) return added.error();
  }
  for (const Parameter& one : declared) {
    if (query.values_.contains(one.name)) continue;
    if (one.required || one.in_path) return wrong(one.name, "is missing");
    if (one.otherwise.empty()) continue;
    if (Status added = query.add(one, one.otherwise, now_ns); !added) return added.error();
  }
  return query;
}

Status Query::add(const Parameter& declared, const std::string& value, int64_t now_ns) {
  const std::string& name = declared.name;
  if (value.size() > kLongestValue || !valid_utf8(value)) {
    return wrong(name, fmt::format("expected UTF-8 of at most {} bytes", kLongestValue));
  }
  if (value.empty()) return {};
  if (values_.count(name) >= declared.most) {
    return wrong(name,
                 declared.most == 1 ? "is given twice" : fmt::format("is given more than {} times", declared.most));
  }
  const auto number = number_of(declared, value, now_ns);
  if (!number) return number.error();
  if (*number) numbers_[name] = **number;
  values_.emplace(name, value);
  return {};
}

std::string Query::text(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::string() : found->second;
}

std::vector<std::string> Query::all(const std::string& name) const {
  std::vector<std::string> found;
  for (auto [at, end] = values_.equal_range(name); at != end; ++at) found.push_back(at->second);
  return found;
}

std::optional<int64_t> Query::integer(const std::string& name) const {
  const auto found = numbers_.find(name);
  return found == numbers_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace monitor::analysis::web
