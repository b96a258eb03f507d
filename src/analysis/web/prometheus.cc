#include "analysis/web/prometheus.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "base/text.h"

namespace monitor::analysis::web {

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

const std::string kSeen = "monitor_agent_seen_timestamp_seconds";

bool is_plain(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

// Runs of what is no letter, digit or colon become one underscore.
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

// Annotations in braces say nothing of the unit.
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

// A backslash before what the format gives a meaning there: quotes in labels, not in help.
std::string escape(std::string_view text, std::string_view special) {
  std::string out;
  for (const char c : sanitize_utf8(text)) {
    if (special.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return json_number(value);
}

std::string labels_of(const LiveAgent& agent, const metrics::Series& series) {
  std::map<std::string, std::string> labels;
  // Two names that become one: their values stand together, as OpenTelemetry has it.
  for (const auto& [name, value] : series.labels) {
    std::string& joined = labels[prometheus_label(name)];
    joined += (joined.empty() ? "" : ";") + value;
  }
  labels["agent"] = agent.name;
  labels["host"] = agent.host;
  std::string out;
  for (const auto& [name, value] : labels)
    out += fmt::format("{}{}=\"{}\"", out.empty() ? "" : ",", name, escape(value, "\\\""));
  return out;
}

}  // namespace

std::string prometheus_label(std::string_view name) {
  std::string out;
  for (const char c : name) out += is_plain(c) || c == '_' ? c : '_';
  if (out.empty() || (out[0] >= '0' && out[0] <= '9')) out.insert(0, "key_");
  if (out.starts_with("__")) out.insert(0, "key");
  return out;
}

std::string prometheus_name(const metrics::Series& series) {
  std::string name = words(series.name, true);
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) name.insert(0, "_");
  const std::string unit = without_annotation(series.unit);
  const bool counter = series.kind == metrics::Kind::kCounter;
  if (counter && name.ends_with("_total")) name.resize(name.size() - std::string_view("_total").size());
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

void PrometheusText::add(const LiveAgent& agent, int64_t heard_after_ns) {
  std::string own = labels_of(agent, metrics::Series());
  Family& seen = family(kSeen, false, "when the log took what an agent said last", "s");
  const int64_t millis = agent.seen_ns / kNanosPerMilli;
  seen.lines += fmt::format("{}{{{}}} {}\n", kSeen, own, number(static_cast<double>(millis) / 1e3));
  if (agent.seen_ns < heard_after_ns) return;
  // Each once: a series whose type changed is there twice, and an agent may take our own name.
  std::set<std::pair<const Family*, std::string>> had = {{&seen, std::move(own)}};
  for (const LiveValue& value : agent.values) {
    const std::string name = prometheus_name(value.series);
    const bool counter = value.series.kind == metrics::Kind::kCounter;
    Family& of = family(name, counter, value.series.name, value.series.unit);
    if (of.counter != counter) continue;
    const auto [place, fresh] = had.emplace(&of, labels_of(agent, value.series));
    if (fresh) of.lines += fmt::format("{}{{{}}} {}\n", name, place->second, number(value.value));
  }
}

PrometheusText::Family& PrometheusText::family(const std::string& name, bool counter, const std::string& source,
                                               const std::string& unit) {
  const auto [at, fresh] = families_.try_emplace(name);
  if (fresh) {
    const std::string help = unit.empty() ? source : fmt::format("{}, unit {}", source, unit);
    at->second = {.counter = counter, .help = escape(help, "\\"), .lines = {}};
  }
  return at->second;
}

std::string PrometheusText::text() && {
  std::string out;
  for (auto& [name, family] : families_) {
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n{}", name, family.help, name, family.counter ? "counter" : "gauge",
                       std::exchange(family.lines, {}));
  }
  return out;
}

}  // namespace monitor::analysis::web
