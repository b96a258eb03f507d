#include "inputs/simulated/simulated.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/text.h"

namespace monitor::agent {

namespace {

constexpr int64_t kGiB = 1 << 30;
constexpr double kDay = 86'400e9;  // ns

// Shares of busy time by mode, which add up to 1, and the deviation of each processor from the mean, which add up to 0.
constexpr std::array<std::pair<std::string_view, double>, 7> kBusyModes = {{{"user", 0.65},
                                                                            {"nice", 0},
                                                                            {"system", 0.3},
                                                                            {"iowait", 0},
                                                                            {"interrupt", 0.02},
                                                                            {"softirq", 0.03},
                                                                            {"steal", 0}}};
constexpr std::array<double, 4> kCores = {0.5, -0.5, 0.25, -0.25};

metrics::Labels with(metrics::Labels labels, std::string_view name, std::string_view value) {
  metrics::set_label(labels, name, value);
  return labels;
}

void add_share(TickBuilder& out, std::string_view metric, metrics::Labels labels, double share) {
  out.add_integer(out.intern(metric, std::move(labels)), std::llround(std::clamp(share, 0.0, 1.0) * 10'000));
}

// Every combination of the values of a metric's labels.
std::vector<metrics::Labels> combinations(std::span<const metrics::LabelSpec> labels) {
  std::vector<metrics::Labels> result = {{}};
  for (const metrics::LabelSpec& label : labels) {
    std::vector<metrics::Labels> longer;
    for (const metrics::Labels& one : result) {
      for (const std::string_view value : split(label.values, ',')) longer.push_back(with(one, label.key, value));
    }
    result = std::move(longer);
  }
  return result;
}

struct SimulatedProcess {
  std::string_view command;
  std::string_view owner;
  int pid;
  double weight;  // of the typical value
};
constexpr std::array<SimulatedProcess, 4> kProcesses = {{{"postgres", "postgres", 812, 4},
                                                         {"nginx", "www-data", 734, 1},
                                                         {"node", "app", 1290, 2},
                                                         {"sshd", "root", 611, 0.1}}};

struct SimulatedContainer {
  std::string_view name;
  std::string_view id;
  double weight;
};
constexpr std::array<SimulatedContainer, 2> kContainers = {{
    {"web", "6f1d4c7a0b9e8d3c2f5a7b6e1d0c9f8e7a6b5c4d3e2f1a0b9c8d7e6f5a4b3c2d", 1.5},
    {"db", "0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9", 0.5},
}};

// The parts for which a metric has series, with their share of its typical value: for most metrics only the host.
std::vector<std::pair<metrics::Labels, double>> parts_of(const metrics::MetricSpec& metric,
                                                         const config::MetricSelection& selection) {
  std::vector<std::pair<metrics::Labels, double>> parts;
  if (metric.name.starts_with("system.process.group.")) {
    for (const std::string& pattern : selection.patterns_of("groups"))
      parts.push_back({{{"process.group", pattern}}, 1});
    for (const SimulatedProcess& one : kProcesses) {
      if (selection.has("per_user")) parts.push_back({{{"process.owner", std::string(one.owner)}}, one.weight});
    }
    return parts;
  }
  if (selection.name == "containers" && !metric.name.ends_with("container.count") &&
      !metric.name.ends_with("omitted.count")) {
    for (const SimulatedContainer& one : kContainers) {
      parts.push_back({{{"container.id", std::string(one.id)},
                        {"container.name", std::string(one.name)},
                        {"container.runtime.name", "docker"}},
                       one.weight});
    }
    return parts;
  }
  if (!metric.name.starts_with("process.")) return {{{}, 1}};
  for (const SimulatedProcess& one : kProcesses) {
    if (std::cmp_greater_equal(parts.size(), selection.count(metrics::kTop))) break;
    parts.push_back({{{"process.command", std::string(one.command)},
                      {"process.owner", std::string(one.owner)},
                      {"process.pid", std::to_string(one.pid)}},
                     one.weight});
  }
  return parts;
}

int64_t pages(double bytes) { return std::llround(bytes / 4096) * 4096; }

}  // namespace

const std::array<SimulatedSource::Part, 2> SimulatedSource::kDisks = {{{"sda", 0.75}, {"sdb", 0.25}}};
const std::array<SimulatedSource::Part, 2> SimulatedSource::kInterfaces = {{{"eth0", 0.75}, {"eth1", 0.25}}};
const std::array<SimulatedSource::Part, 2> SimulatedSource::kFilesystems = {{{"/", 0.25}, {"/home", 0.75}}};
const std::array<SimulatedSource::Flow, 4> SimulatedSource::kFlows = {{
    {"disk read", "system.disk.io", "disk.io.direction", "read", "system.device", kDisks, 40e6},
    {"disk write", "system.disk.io", "disk.io.direction", "write", "system.device", kDisks, 60e6},
    {"net in", "system.network.io", "network.io.direction", "receive", "network.interface.name", kInterfaces, 12e6},
    {"net out", "system.network.io", "network.io.direction", "transmit", "network.interface.name", kInterfaces, 9e6},
}};

void SimulatedSource::configure(uint64_t schedule, const std::vector<config::MetricSelection>& selections) {
  selections_[schedule] = selections;
  if (selections.empty()) selections_.erase(schedule);
}

void SimulatedSource::baseline(const Timestamp& now) {
  if (started_mono_ == 0) started_mono_ = now.mono_ns;
}

double SimulatedSource::walk(double& state, double step, double low, double high) {
  state = std::clamp(state + (random_.unit() - 0.5) * 2 * step, low, high);
  return state;
}

std::vector<SimulatedSource::Part> SimulatedSource::chosen(std::span<const Part> parts,
                                                           const config::MetricSelection& selection) {
  std::vector<Part> result;
  for (const Part& part : parts) {
    if (!selection.include.empty() && !matches_any(selection.include, part.name)) continue;
    if (!matches_any(selection.exclude, part.name)) result.push_back(part);
  }
  return result;
}

void SimulatedSource::add_cpu_times(double busy, const metrics::Labels& labels, bool modes, TickBuilder& out) {
  constexpr std::string_view kName = "system.cpu.utilization";
  add_share(out, kName, labels, busy);
  if (!modes) return;
  for (const auto& [mode, share] : kBusyModes) {
    add_share(out, kName, with(labels, "cpu.mode", mode), busy * share);
  }
  add_share(out, kName, with(labels, "cpu.mode", "idle"), 1 - busy);
}

void SimulatedSource::add_cpu(const config::MetricSelection& selection, const Timestamp& now, TickBuilder& out) {
  const double rhythm = 0.15 * std::sin(2 * M_PI * std::fmod(static_cast<double>(now.wall_ns), kDay) / kDay);
  const double busy = std::clamp(walk(cpu_, 0.04, 0.02, 0.9) + rhythm * 0.5, 0.0, 1.0);
  add_cpu_times(busy, {}, selection.has("modes"), out);
  if (!selection.has("per_core")) return;
  const double room = std::min(busy, 1 - busy);
  for (size_t core = 0; core < kCores.size(); ++core) {
    add_cpu_times(busy + kCores[core] * room, {{"cpu.logical_number", std::to_string(core)}}, selection.has("modes"),
                  out);
  }
}

void SimulatedSource::add_memory(TickBuilder& out) {
  const double used = walk(memory_, 0.005, 0.1, 0.95);
  add_share(out, "system.memory.utilization", {}, used);
  out.add_integer(out.intern("system.memory.usage", {{"system.memory.state", "used"}}), pages(used * 16 * kGiB));
  out.add_integer(out.intern("system.memory.limit"), 16 * kGiB);
}

void SimulatedSource::add_swap(TickBuilder& out) {
  const double used = walk(swap_, 0.001, 0, 0.5);
  const metrics::Labels labels = {{"system.paging.state", "used"}};
  out.add_integer(out.intern("system.paging.usage", labels), pages(used * 4 * kGiB));
  add_share(out, "system.paging.utilization", labels, used);
}

void SimulatedSource::add_flow(size_t flow, const config::MetricSelection& selection, int64_t elapsed_ns,
                               TickBuilder& out) {
  const Flow& of = kFlows[flow];
  double& state = flows_[flow];
  walk(state, 0.05, 0, 1);
  const double burst = random_.below(20) == 0 ? 8 * random_.unit() : 0;
  const double whole = (state * state + burst) * of.scale;
  const metrics::Labels labels = {{std::string(of.label), std::string(of.direction)}};
  const auto parts = chosen(of.parts, selection);
  const bool all = parts.size() == of.parts.size();
  const bool each = selection.has("per_device") || selection.has("per_interface");
  const auto emit = [&](const metrics::Labels& series, std::string_view part, int64_t rate) {
    out.add_integer(out.intern(std::string(of.family) + ".rate", series), rate);
    if (!selection.has("counters")) return;
    int64_t& counter = counters_[std::string(of.selector) + " " + std::string(part)];
    counter += std::llround(static_cast<double>(rate) * static_cast<double>(elapsed_ns) / 1e9);
    out.add_integer(out.intern(of.family, series), counter);
  };
  int64_t sum = 0;
  std::vector<int64_t> rates;
  for (const Part& part : parts) {
    rates.push_back(std::llround(whole * part.weight));
    sum += rates.back();
  }
  emit(labels, "", all ? std::llround(whole) : sum);
  for (size_t i = 0; each && i < parts.size(); ++i) {
    emit(with(labels, of.part_label, parts[i].name), parts[i].name, rates[i]);
  }
}

void SimulatedSource::add_filesystem(const config::MetricSelection& selection, TickBuilder& out) {
  const double used = walk(filesystem_, 0.0005, 0.3, 0.95);
  const auto emit = [&](const metrics::Labels& labels, double size) {
    out.add_integer(out.intern("system.filesystem.usage", with(labels, "system.filesystem.state", "used")),
                    pages(used * size));
    add_share(out, "system.filesystem.utilization", labels, used);
  };
  double size = 0;
  const auto parts = chosen(kFilesystems, selection);
  for (const Part& part : parts) size += part.weight * 200 * kGiB;
  if (parts.empty()) return;
  emit({}, size);
  for (size_t i = 0; selection.has("per_filesystem") && i < parts.size(); ++i) {
    emit({{"system.device", "/dev/sd" + std::string(1, static_cast<char>('a' + i)) + "1"},
          {"system.filesystem.mountpoint", std::string(parts[i].name)},
          {"system.filesystem.type", "ext4"}},
         parts[i].weight * 200 * kGiB);
  }
}

// Generates the declared metrics of a selector that has no model of its own, each series near its typical value.
void SimulatedSource::add_declared(const config::MetricSelection& selection, int64_t elapsed_ns, TickBuilder& out) {
  for (const metrics::MetricSpec* const metric : metrics::metrics_of(selection.name)) {
    if (!metric->option.empty() && !selection.has(metric->option)) continue;
    for (const auto& [part, weight] : parts_of(*metric, selection)) {
      for (metrics::Labels labels : combinations(metric->labels)) {
        for (const auto& [key, value] : part) metrics::set_label(labels, key, value);
        add_near(*metric, labels, weight * metric->typical, elapsed_ns, out);
      }
    }
  }
}

// A counter "x" grows by the declared rate "x.rate".
void SimulatedSource::add_near(const metrics::MetricSpec& metric, const metrics::Labels& labels, double typical,
                               int64_t elapsed_ns, TickBuilder& out) {
  const bool counter = metric.kind == metrics::Kind::kCounter;
  const metrics::SeriesId id = out.intern(metric.name, labels);
  const std::string rate = std::string(metric.name) + (counter ? ".rate" : "");
  const std::string key = metrics::to_string({.name = rate, .labels = labels});
  double& value = declared_.try_emplace(key, typical).first->second;
  const bool walked =
      counter && metrics::find_metric(rate) != nullptr;  // the series of the rate already moved it in this tick
  if (!walked) walk(value, typical / 20, typical / 2, typical * 1.5);
  if (!counter) {
    out.add_integer(id, std::llround(value * metrics::power_of_ten(-metric.exponent)));
    return;
  }
  int64_t& total = counters_[key];
  total += std::llround(std::round(value) * static_cast<double>(elapsed_ns) / 1e9);
  out.add_integer(id, total);
}

void SimulatedSource::add_pressure(TickBuilder& out) {
  for (const char* resource : {"cpu", "memory", "io"}) {
    add_share(out, "system.pressure.stall", {{"resource", resource}, {"type", "some"}}, walk(pressure_, 0.01, 0, 0.4));
  }
}

void SimulatedSource::add(const config::MetricSelection& selection, const Timestamp& now, int64_t elapsed_ns,
                          TickBuilder& out) {
  const std::string& name = selection.name;
  const auto flow = std::ranges::find(kFlows, name, &Flow::selector);
  if (flow != kFlows.end()) {
    add_flow(static_cast<size_t>(flow - kFlows.begin()), selection, elapsed_ns, out);
  } else if (name == "cpu") {
    add_cpu(selection, now, out);
  } else if (name == "memory") {
    add_memory(out);
  } else if (name == "swap") {
    add_swap(out);
  } else if (name == "uptime") {
    out.add_integer(out.intern("system.uptime"), (now.mono_ns - started_mono_) / 10'000'000);
  } else if (name == "filesystem") {
    add_filesystem(selection, out);
  } else if (name == "pressure") {
    add_pressure(out);
  } else {
    add_declared(selection, elapsed_ns, out);
  }
}

uint64_t SimulatedSource::collect(uint64_t schedule, const Timestamp& now, metrics::Tick& tick) {
  TickBuilder out(table_, tick);
  const auto [last, is_first] = last_mono_.try_emplace(schedule, now.mono_ns);
  const int64_t elapsed_ns = now.mono_ns - std::exchange(last->second, now.mono_ns);
  for (const auto& selection : selections_[schedule]) add(selection, now, elapsed_ns, out);
  return out.over_cardinality();
}

}  // namespace monitor::agent
