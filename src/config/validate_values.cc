// Validator: functions for single values, one per kind.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/size_format.h"
#include "base/text.h"
#include "base/time_format.h"
#include "config/validator.h"

namespace monitor::config {

using nlohmann::json;

namespace {

constexpr size_t kMaxLabels = 32;
constexpr size_t kMaxLabelKey = 256;
constexpr size_t kMaxLabelValue = 1024;

}  // namespace

std::string Validator::expected(const Setting& one) {
  if (one.unit.empty()) return fmt::format("must be {}", bounds_text(one));
  return fmt::format("must be {} (in {} as a number, or with a unit)", bounds_text(one), one.unit);
}

std::optional<int64_t> Validator::duration(const Setting& one, const std::string& path, const json& value) {
  double ns = NAN;
  if (value.is_number()) {
    ns = value.get<double>() * static_cast<double>(kNanosPerSecond);
  } else if (value.is_string()) {
    if (const auto parsed = parse_duration(value.get<std::string>())) ns = static_cast<double>(*parsed);
  }
  // NaN is outside every range.
  if (ns >= static_cast<double>(one.min) && ns <= static_cast<double>(one.max)) return std::llround(ns);
  problem(path, expected(one), value);
  return std::nullopt;
}

std::optional<double> Validator::number(const Setting& one, const std::string& path, const json& value) {
  const bool whole = one.type == SettingType::kCount;
  if (whole ? value.is_number_integer() : value.is_number()) {
    const auto given = value.get<double>();
    const double unit = whole ? 1 : kThousandth;
    if (given >= static_cast<double>(one.min) * unit && given <= static_cast<double>(one.max) * unit) return given;
  }
  problem(path, fmt::format("must be {}", bounds_text(one)), value);
  return std::nullopt;
}

std::optional<uint64_t> Validator::size(const Setting& one, const std::string& path, const json& value) {
  std::optional<uint64_t> bytes;
  if (value.is_number_unsigned()) {
    bytes = value.get<uint64_t>();
  } else if (value.is_string()) {
    if (const auto parsed = parse_size(value.get<std::string>())) bytes = *parsed;
  }
  if (bytes && *bytes >= static_cast<uint64_t>(one.min) && *bytes <= static_cast<uint64_t>(one.max)) return bytes;
  problem(path, expected(one), value);
  return std::nullopt;
}

std::optional<std::string> Validator::choice(const Setting& one, const std::string& path, const json& value) {
  std::vector<std::string> known;
  for (const std::string_view word : split(one.choices, ',')) known.emplace_back(word);
  if (value.is_string()) {
    const auto& word = value.get_ref<const std::string&>();
    if (std::find(known.begin(), known.end(), word) != known.end()) return word;
  }
  Problem& p = problem(path, expected(one), value);
  if (value.is_string()) p.known = nearest(value.get_ref<const std::string&>(), known).value_or("");
  return std::nullopt;
}

std::optional<bool> Validator::boolean(const std::string& path, const json& value) {
  if (value.is_boolean()) return value.get<bool>();
  problem(path, "must be true or false", value);
  return std::nullopt;
}

std::vector<std::string> Validator::texts(const Setting& one, const std::string& path, const json& value, size_t most,
                                          bool (*valid)(std::string_view)) {
  std::vector<std::string> result;
  if (!value.is_array() || value.size() > most) {
    problem(path, fmt::format("must be a list of strings, {}", bounds_text(one)), value);
    return result;
  }
  for (size_t i = 0; i < value.size(); ++i) {
    if (!value[i].is_string() || !valid(value[i].get_ref<const std::string&>())) {
      problem(fmt::format("{}/{}", path, i), fmt::format("must be a string, {}", bounds_text(one)), value[i]);
      continue;
    }
    result.push_back(value[i].get<std::string>());
  }
  return result;
}

void Validator::read_labels(const std::string& path, const json& value) {
  if (!value.is_object()) {
    problem(path, "must be an object with string values", value);
    return;
  }
  if (value.size() > kMaxLabels) {
    problem(path, fmt::format("has {} labels, the limit is {}", value.size(), kMaxLabels), value);
    return;
  }
  for (const auto& [key, text] : value.items()) {
    const std::string at = path + pointer_step(key);
    if (key.empty() || key.size() > kMaxLabelKey) {
      problem(at, fmt::format("label's name has {} bytes, the limits are 1 and {}", key.size(), kMaxLabelKey), key);
    } else if (!text.is_string()) {
      problem(at, "must be a string", text);
    } else if (text.get_ref<const std::string&>().size() > kMaxLabelValue) {
      problem(at,
              fmt::format("has {} bytes, the limit is {}", text.get_ref<const std::string&>().size(), kMaxLabelValue),
              text);
    } else {
      metrics::set_label(result_.settings.labels, key, text.get<std::string>());
    }
  }
}

}  // namespace monitor::config
