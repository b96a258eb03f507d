// Runs the agent's collectors for tests/truth. On a tree of /proc and /sys the clock is simulated, so that
// hosts_test.py can replace the files between two readings and knows every value. On the live machine (root "") it is
// the system's clock, and live_test.py reads the kernel's files just before and just after.
//
// Reads one JSON object per line from standard input, and answers each with one line:
//   {"open": ROOT, "metrics": [...]}  opens collectors on ROOT/proc and ROOT/sys, and reads the baseline
//   {"tick": NANOSECONDS}             advances the simulated clock and reads; gets {"points": [...], "errors": {...}}
//   {"catalog": true}                 returns the declared metrics and the tables of docs/metrics.md
//   {"schema": true}                  returns the selectors, their options and the metrics that they produce
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <iostream>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/testing/fake_clock.h"
#include "config/schema.h"
#include "config/validate.h"
#include "inputs/proc/host_source.h"
#include "metrics/catalog/catalog.h"
#include "metrics/series.h"

namespace {

using monitor::FakeClock;
using nlohmann::json;

class NoPlugins final : public monitor::config::PluginCatalog {
 public:
  std::vector<std::string> plugin_names() const override { return {}; }
  std::optional<monitor::config::Problem> check_plugin(const std::string& /*name*/,
                                                       const std::string& /*config*/) const override {
    return std::nullopt;
  }
};

// All collectors of a monitor-agent, without the agent.
struct Host {
  FakeClock fake;
  monitor::SystemClock real;
  bool live = false;
  monitor::metrics::SeriesTable table;
  std::unique_ptr<monitor::agent::HostSource> source;

  const monitor::Clock& clock() const { return live ? static_cast<const monitor::Clock&>(real) : fake; }
  monitor::agent::Timestamp now() const { return {clock().wall_ns(), clock().mono_ns()}; }
};

constexpr uint64_t kSchedule = 1;

monitor::config::Settings settings_of(const json& metrics) {
  auto document = monitor::config::Document::parse(json{{"metrics", metrics}}.dump());
  if (!document) throw std::runtime_error(document.error().message());
  const NoPlugins plugins;
  auto checked = monitor::config::validate({{.key = "truth", .revision = 1, .document = *document}}, plugins);
  if (!checked.ok()) throw std::runtime_error(checked.problems.front().to_string());
  return std::move(checked.settings);
}

std::unique_ptr<Host> open_host(const std::string& root, const json& metrics) {
  auto host = std::make_unique<Host>();
  host->live = root.empty();
  monitor::agent::Roots roots{.procfs = root + "/proc", .sysfs = root + "/sys"};
  if (!root.empty()) roots.rootfs = root + "/rootfs";
  host->source = std::make_unique<monitor::agent::HostSource>(roots, host->table, host->clock());
  host->source->configure(kSchedule, settings_of(metrics).metrics);
  host->source->baseline(host->now());
  return host;
}

json tick(Host& host, int64_t elapsed_ns) {
  host.fake.advance(elapsed_ns);
  monitor::metrics::Tick tick;
  const uint64_t over = host.source->collect(kSchedule, host.now(), tick);
  json points = json::array();
  for (const auto& point : tick.points) {
    const auto& series = host.table.at(point.series);
    const bool counter = series.kind == monitor::metrics::Kind::kCounter;
    points.push_back({{"series", monitor::metrics::to_string(series)},
                      {"unit", series.unit},
                      {"kind", counter ? "counter" : "gauge"},
                      {"value", host.table.value(point)}});
  }
  json errors = json::object();
  for (const auto& [name, state] : host.source->states()) {
    if (!state.error.empty()) errors[name] = state.error;
  }
  return {{"points", std::move(points)}, {"errors", std::move(errors)}, {"dropped", over}};
}

json schema() {
  json result = json::object();
  for (const auto& selector : monitor::config::selectors()) {
    json options = json::array();
    for (const auto& option : monitor::config::metric_options()) {
      if (option.applies_to(selector.name)) options.push_back(option.setting.name);
    }
    result[std::string(selector.name)] = {{"metrics", selector.produces}, {"options", std::move(options)}};
  }
  return result;
}

json catalog() {
  json declared = json::object();
  for (const auto* const collector : monitor::metrics::collectors()) {
    for (const auto& metric : collector->metrics) {
      const bool counter = metric.kind == monitor::metrics::Kind::kCounter;
      declared[std::string(metric.name)] = {{"unit", metric.unit}, {"kind", counter ? "counter" : "gauge"}};
    }
  }
  return {{"metrics", std::move(declared)}, {"markdown", monitor::metrics::catalog_markdown()}};
}

json answer(const json& request, std::unique_ptr<Host>& host) {
  if (request.contains("schema")) return schema();
  if (request.contains("catalog")) return catalog();
  if (request.contains("open")) {
    host = open_host(request.at("open"), request.at("metrics"));
    return {{"opened", true}};
  }
  return tick(*host, request.at("tick"));
}

}  // namespace

int main() {
  std::unique_ptr<Host> host;
  for (std::string line; std::getline(std::cin, line);) {
    json reply;
    try {
      reply = answer(json::parse(line), host);
    } catch (const std::exception& failure) {
      reply = {{"failure", failure.what()}};
    }
    std::cout << reply.dump(-1, ' ', false, json::error_handler_t::replace) << '\n' << std::flush;
  }
  return std::cout ? 0 : 74;
}
