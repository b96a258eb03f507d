#include "inputs/proc/metric_list.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <set>
#include <utility>

#include "inputs/proc/host_source.h"
#include "metrics/catalog/catalog.h"

namespace monitor::agent {

namespace {

constexpr uint64_t kSchedule = 1;

// What a source needs that a host may lack, by the start of its path.
constexpr std::array<std::pair<std::string_view, std::string_view>, 14> kNeeds = {{
    {"pressure/irq", "needs Linux 6.1 with CONFIG_IRQ_TIME_ACCOUNTING"},
    {"pressure", "needs a kernel with CONFIG_PSI, and psi=1 on its command line if it is off by default"},
    {"class/hwmon", "needs hardware with sensors, and their drivers; most virtual machines have none"},
    {"class/thermal", "needs hardware with thermal zones"},
    {"class/powercap", "needs a processor with RAPL, and the driver intel_rapl"},
    {"spl/kstat/zfs", "needs ZFS"},
    {"mdstat", "needs software RAID (the module md_mod)"},
    {"devices/system/edac", "needs memory with error correction, and the EDAC driver of its controller"},
    {"net/snmp6", "needs IPv6"},
    {"net/sockstat6", "needs IPv6"},
    {"fs/cgroup", "needs control groups with this controller"},
    {"vmstat", "needs a kernel with this counter"},
    {"meminfo", "needs a kernel with this line"},
    {"self/mountinfo", "needs a mounted filesystem that can be measured"},
}};

std::string_view need_of(std::string_view path) {
  for (const auto& [start, need] : kNeeds) {
    if (path.starts_with(start)) return need;
  }
  return "the kernel does not report it";
}

// The first text between backquotes, up to what stands for several names.
std::string_view first_path(std::string_view source) {
  const size_t start = source.find('`');
  if (start == std::string_view::npos) return {};
  source.remove_prefix(start + 1);
  std::string_view path = source.substr(0, source.find('`'));
  const size_t open = std::min({path.find('*'), path.find("..."), path.find("PID")});
  if (open != std::string_view::npos)
    path = path.substr(0, path.rfind('/', open) == std::string_view::npos ? 0 : path.rfind('/', open));
  return path;
}

struct Observed {
  std::set<std::string> metrics;
  size_t points = 0;
  int64_t cost_ns = 0;
  std::string error;
};

Observed observe(const Roots& roots, const Clock& clock, const config::MetricSelection& selection,
                 const std::function<void()>& wait) {
  metrics::SeriesTable table;
  HostSource source(roots, table, clock);
  source.configure(kSchedule, {selection});
  source.baseline({clock.wall_ns(), clock.mono_ns()});
  wait();
  metrics::Tick tick;
  source.collect(kSchedule, {clock.wall_ns(), clock.mono_ns()}, tick);
  Observed seen;
  seen.points = tick.points.size();
  for (const metrics::Point& point : tick.points) seen.metrics.insert(table.at(point.series).name);
  for (const auto& [name, state] : source.states()) {
    seen.cost_ns += state.last_duration_ns;
    if (!state.error.empty()) seen.error = state.error;
  }
  return seen;
}

SelectorOffer offer_of(const metrics::SelectorSpec& selector, const Roots& roots, const Clock& clock,
                       const std::function<void()>& wait) {
  config::MetricSelection plain{std::string(selector.name)};
  config::MetricSelection full = plain;
  for (const metrics::OptionSpec& option : selector.options) {
    if (option.type == metrics::OptionSpec::Type::kFlag) full.flags.insert(std::string(option.name));
  }
  const Observed usual = observe(roots, clock, plain, wait);
  const Observed all = observe(roots, clock, full, wait);
  SelectorOffer offer;
  offer.selector = selector.name;
  offer.points = usual.points;
  offer.cost_ns = usual.cost_ns;
  for (const metrics::MetricSpec* const metric : metrics::metrics_of(selector.name)) {
    std::string name(metric->name);
    if (all.metrics.contains(name)) {
      offer.metrics.push_back(std::move(name));
    } else {
      offer.missing.push_back(
          {std::move(name), all.error.empty() ? why_missing(roots, metric->source, metric->rules) : all.error});
    }
  }
  return offer;
}

}  // namespace

std::string why_missing(const Roots& roots, std::string_view source, std::string_view rules) {
  const std::string_view path = first_path(source);
  if (path.empty()) return rules.empty() ? "the kernel does not report it" : std::string(rules);
  const bool in_sysfs = path.starts_with("class/") || path.starts_with("fs/") || path.starts_with("block/") ||
                        path.starts_with("devices/");
  const std::string full = (in_sysfs ? roots.sysfs : roots.procfs) + "/" + std::string(path);
  if (access(full.c_str(), R_OK) != 0) {
    const int error = errno;
    if (error == EACCES || error == EPERM) return fmt::format("no permission to read {}", full);
    return fmt::format("{} does not exist: {}", full, need_of(path));
  }
  if (rules.starts_with("only") || rules.starts_with("none")) return std::string(rules);
  return fmt::format("nothing in {}: {}", full, need_of(path));
}

std::vector<SelectorOffer> list_offers(const Roots& roots, const Clock& clock, const std::function<void()>& wait) {
  std::vector<SelectorOffer> offers;
  for (const metrics::CollectorSpec* const collector : metrics::collectors()) {
    for (const metrics::SelectorSpec& selector : collector->selectors) {
      offers.push_back(offer_of(selector, roots, clock, wait));
    }
  }
  return offers;
}

}  // namespace monitor::agent
