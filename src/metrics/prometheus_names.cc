#include "metrics/prometheus_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"

namespace monitor::metrics {

namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 24> kUnits = {{
    {"d", "days"},          {"h", "hours"},        {"min", "minutes"},   {"s", "seconds"},      {"ms", "milliseconds"},
    {"us", "microseconds"}, {"ns", "nanoseconds"}, {"By", "bytes"},      {"KiBy", "kibibytes"}, {"MiBy", "mebibytes"},
    {"GiBy", "gibibytes"},  {"kBy", "kilobytes"},  {"MBy", "megabytes"}, {"GBy", "gigabytes"},  {"m", "meters"},
    {"V", "volts"},         {"A", "amperes"},      {"J", "joules"},      {"W", "watts"},        {"g", "grams"},
    {"Cel", "celsius"},     {"Hz", "hertz"},       {"%", "percent"},     {"bit", "bits"},
}};
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kPer = {
    {{"s", "second"}, {"m", "minute"}, {"min", "minute"}, {"h", "hour"}, {"d", "day"}, {"w", "week"}}};

// The agent's identity, and labels of Prometheus' histograms and summaries.
constexpr std::array<std::string_view, 4> kReserved = {"agent", "host", "le", "quantile"};
constexpr std::string_view kEscape = "U__";

bool is_plain(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

// Replaces each run of characters other than letters, digits and colons by one underscore.
std::string words(std::string_view text, bool colons) {
  std::string out;
  for (const char c : text) {
    if (is_plain(c) || (colons && c == ':')) {
      out += c;
    } else if (!out.empty() && out.back() != '_') {
      out += '_';
    }
  }
  while (!out.empty() && out.back() == '_') out.pop_back();
  return out;
}

template <typename Table>
std::string in_words(const Table& table, std::string_view unit) {
  const auto* const found =
      std::find_if(table.begin(), table.end(), [&](const auto& one) { return one.first == unit; });
  return found == table.end() ? words(unit, false) : std::string(found->second);
}

// Removes UCUM annotations in braces.
std::string without_annotation(std::string_view unit) {
  std::string out;
  int depth = 0;
  for (const char c : unit) {
    if (c == '{') ++depth;
    if (depth == 0) out += c;
    if (c == '}' && depth > 0) --depth;
  }
  return out;
}

void add_suffix(std::string& name, const std::string& suffix) {
  if (!suffix.empty() && !name.ends_with("_" + suffix) && name != suffix) name += "_" + suffix;
}

}  // namespace

std::string prometheus_unit(const Series& series) {
  const std::string unit = without_annotation(series.unit);
  if (unit == "1") return series.kind == Kind::kCounter ? "" : "ratio";
  const size_t slash = unit.find('/');
  if (slash == std::string::npos) return in_words(kUnits, unit);
  std::string out = in_words(kUnits, std::string_view(unit).substr(0, slash));
  const std::string per = in_words(kPer, std::string_view(unit).substr(slash + 1));
  if (!per.empty()) out += (out.empty() ? "per_" : "_per_") + per;
  return out;
}

namespace {

// Appends unit and kind, unless the name already ends with them.
std::string with_unit(std::string name, const Series& series) {
  const std::string unit = without_annotation(series.unit);
  const bool counter = series.kind == Kind::kCounter;
  if (unit == "1") {
    if (!counter) add_suffix(name, "ratio");
  } else if (const size_t slash = unit.find('/'); slash != std::string::npos) {
    add_suffix(name, in_words(kUnits, std::string_view(unit).substr(0, slash)));
    const std::string per = in_words(kPer, std::string_view(unit).substr(slash + 1));
    if (!per.empty()) add_suffix(name, "per_" + per);
  } else if (!unit.empty()) {
    add_suffix(name, in_words(kUnits, unit));
  }
  if (counter) name += "_total";
  return name;
}

}  // namespace

std::string prometheus_label(std::string_view name) {
  if (name.starts_with(kEscape)) return prometheus_escaped(name);
  std::string out;
  for (const char c : name) out += is_plain(c) || c == '_' ? c : '_';
  if (out.empty() || (out[0] >= '0' && out[0] <= '9')) out.insert(0, "key_");
  if (out.starts_with("__")) out.insert(0, "key");
  if (std::ranges::find(kReserved, out) != kReserved.end()) out.insert(0, "exported_");
  return out;
}

std::string prometheus_name(const Series& series) {
  if (series.name.starts_with(kEscape)) return prometheus_escaped(series);
  std::string name = words(series.name, true);
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) name.insert(0, "_");
  const bool counter = series.kind == Kind::kCounter;
  if (counter && name.ends_with("_total")) name.resize(name.size() - std::string_view("_total").size());
  return with_unit(std::move(name), series);
}

std::string prometheus_escaped(std::string_view name) {
  std::string out(kEscape);
  for (const char c : name) {
    if (c == '_') {
      out += "__";
    } else if (is_plain(c)) {
      out += c;
    } else {
      out += fmt::format("_{:02x}_", static_cast<unsigned char>(c));
    }
  }
  return out;
}

// A single underscore ends the escaped name; unit and kind follow.
std::string prometheus_escaped(const Series& series) {
  std::string out = prometheus_escaped(std::string_view(series.name));
  if (!series.unit.empty()) out += "_unit_" + prometheus_escaped(std::string_view(series.unit)).substr(kEscape.size());
  return series.kind == Kind::kCounter ? out + "_total" : out;
}

bool NameChoice::keeps(const std::string& usual, const std::string& name) const {
  const auto found = names_.find(usual);
  if (found == names_.end() || found->second.size() == 1) return true;
  return name == (found->second.contains(usual) ? usual : *found->second.begin());
}

}  // namespace monitor::metrics
