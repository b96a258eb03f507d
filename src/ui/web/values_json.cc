#include "ui/web/values_json.h"

#include <fmt/format.h>

#include "base/text.h"

namespace monitor::analysis::web {

std::string seconds_json(int64_t ns) {
  const int64_t micros = ns / 1000;
  return json_number(static_cast<double>(micros) / 1e6);
}

std::string time_json(int64_t ns) { return ns == 0 ? "null" : seconds_json(ns); }

std::string labels_json(const metrics::Labels& labels) {
  std::string out = "{";
  for (const auto& [name, value] : labels) {
    out += fmt::format("{}{}:{}", out.size() > 1 ? "," : "", json_quote(name), json_quote(value));
  }
  return out + "}";
}

}  // namespace monitor::analysis::web
