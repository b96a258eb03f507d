#include "ui/web/prometheus.h"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "base/escape.h"
#include "base/text.h"
#include "metrics/catalog/catalog.h"

namespace monitor::analysis::web {

namespace {

const std::string kSeen = "monitor_agent_seen_timestamp_seconds";

// Escapes backslashes and line ends, and in labels also quotes.
std::string escape(std::string_view text, std::string_view special) {
  std::string out;
  for (const std::string_view line : split(text, '\n')) {
    if (line.data() != text.data()) out += "\\n";
    for (const char c : printable(line)) {
      if (special.find(c) != std::string_view::npos) out += '\\';
      out += c;
    }
  }
  return out;
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return json_number(value);
}

using PrometheusLabels = std::map<std::string, std::string>;

std::string text_of(const PrometheusLabels& labels) {
  std::string out;
  for (const auto& [name, value] : labels)
    out += fmt::format("{}{}=\"{}\"", out.empty() ? "" : ",", name, escape(value, "\\\""));
  return out;
}

std::string labels_of(const LiveAgent& agent, const metrics::Series& series, const metrics::NameChoice& choice) {
  PrometheusLabels labels;
  for (const auto& [name, value] : series.labels) {
    std::string usual = metrics::prometheus_label(name);
    labels[choice.keeps(usual, name) ? std::move(usual) : metrics::prometheus_escaped(name)] = value;
  }
  labels["agent"] = agent.name;
  labels["host"] = agent.host;
  return text_of(labels);
}

// Distinguishes metrics that share a Prometheus name. If nothing is added to a name, the result is the name itself,
// because it is compared with the usual name.
std::string source_of(const metrics::Series& series) {
  const bool counter = series.kind == metrics::Kind::kCounter;
  if (series.unit.empty() && !counter) return series.name;
  return fmt::format("{}\n{}\n{}", series.name, series.unit, counter ? "counter" : "gauge");
}

// For a declared metric: "Swap space in use. Metric system.paging.usage, unit By."; else name and unit.
std::string help_of(const metrics::Series& series) {
  const std::string name = series.unit.empty() ? series.name : fmt::format("{}, unit {}", series.name, series.unit);
  const metrics::MetricSpec* const metric = metrics::find_metric(series.name);
  return metric == nullptr ? name : fmt::format("{} Metric {}.", metric->description, name);
}

// A series whose type has changed appears twice; the newest counts.
struct Newest {
  double value = 0;
  int64_t time_ns = INT64_MIN;
};

}  // namespace

void PrometheusText::add(const LiveAgent& agent, int64_t heard_after_ns) {
  Family& seen = family(kSeen, {.name = "Time of the agent's latest record in the log", .unit = "s"});
  const int64_t millis = agent.seen_ns / kNanosPerMilli;
  seen.lines += fmt::format("{}{{{}}} {}\n", kSeen, labels_of(agent, metrics::Series(), {}),
                            number(static_cast<double>(millis) / 1e3));
  if (agent.seen_ns < heard_after_ns) return;
  metrics::NameChoice names;
  names.add(kSeen, kSeen);
  std::vector<std::string> usual;
  usual.reserve(agent.values.size());
  std::map<std::string, metrics::NameChoice> labels;  // by usual name
  for (const LiveValue& value : agent.values) {
    usual.push_back(metrics::prometheus_name(value.series));
    names.add(usual.back(), source_of(value.series));
    metrics::NameChoice& choice = labels[usual.back()];
    for (const auto& [name, text] : value.series.labels) choice.add(metrics::prometheus_label(name), name);
  }
  std::map<std::pair<std::string, std::string>, Newest> lines;
  for (size_t i = 0; i < agent.values.size(); ++i) {
    const LiveValue& value = agent.values[i];
    const std::string name = name_of(value.series, usual[i], names);
    if (name.empty()) continue;
    Newest& newest = lines[{name, labels_of(agent, value.series, labels[usual[i]])}];
    if (value.time_ns >= newest.time_ns) newest = {value.value, value.time_ns};
  }
  for (const auto& [line, newest] : lines) {
    families_.at(line.first).lines += fmt::format("{}{{{}}} {}\n", line.first, line.second, number(newest.value));
  }
}

// Returns "" if no name is free, which requires a metric named like another one's escaped name.
std::string PrometheusText::name_of(const metrics::Series& series, const std::string& usual,
                                    const metrics::NameChoice& choice) {
  const bool counter = series.kind == metrics::Kind::kCounter;
  const bool own = usual == kSeen;
  if (!own && choice.keeps(usual, source_of(series)) && family(usual, series).counter == counter) return usual;
  std::string escaped = metrics::prometheus_escaped(series);
  return family(escaped, series).counter == counter ? escaped : "";
}

PrometheusText::Family& PrometheusText::family(const std::string& name, const metrics::Series& series) {
  const auto [at, fresh] = families_.try_emplace(name);
  if (fresh) {
    const bool counter = series.kind == metrics::Kind::kCounter;
    at->second = {.counter = counter, .help = escape(help_of(series), "\\"), .unit = {}, .lines = {}};
    // OpenMetrics requires the name of a family with a unit to end with that unit.
    std::string unit = metrics::prometheus_unit(series);
    if (!unit.empty() && name.ends_with("_" + unit + (counter ? "_total" : ""))) at->second.unit = std::move(unit);
  }
  return at->second;
}

std::string PrometheusText::text() && {
  std::string out;
  for (auto& [name, family] : families_) {
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, family.help, name, family.counter ? "counter" : "gauge");
    if (!family.unit.empty()) out += fmt::format("# UNIT {} {}\n", name, family.unit);
    out += std::exchange(family.lines, {});
  }
  return out;
}

}  // namespace monitor::analysis::web
