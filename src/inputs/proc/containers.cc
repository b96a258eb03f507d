#include "inputs/proc/containers.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <span>

#include "base/log.h"
#include "base/scaled_quotient.h"
#include "inputs/proc/collectors.h"
#include "metrics/catalog/steps.h"

namespace monitor::agent {

namespace {

constexpr uint64_t kCpuSteps = 10'000;  // 10^-kShareExponent
constexpr uint64_t kMicros = 1'000;     // nanoseconds

// The series of a container. kIo and those with two or six values have them in successive places.
enum Place : size_t {
  kCpuUsage,
  kCpuLimit,
  kThrottling,
  kCpuTime,
  kThrottledTime,
  kMemoryUsage,
  kWorkingSet,
  kMemoryLimit,
  kMemoryUtilization,
  kSwap,
  kOomKills,
  kIoRate,
  kIo = kIoRate + 2,
  kThreads = kIo + 2,
  kThreadLimit,
  kPressure,
  kPlaces = kPressure + 6,
};

struct SeriesName {
  std::string_view metric;
  std::array<std::pair<std::string_view, std::string_view>, 2> labels = {};
};
constexpr std::string_view kDirection = "disk.io.direction";
constexpr std::array<SeriesName, kPlaces> kSeries = {{
    {"container.cpu.usage"},
    {"container.cpu.limit"},
    {"container.cpu.throttling.utilization"},
    {"container.cpu.time"},
    {"container.cpu.throttled.time"},
    {"container.memory.usage"},
    {"container.memory.working_set"},
    {"container.memory.limit"},
    {"container.memory.utilization"},
    {"container.paging.usage"},
    {"container.memory.oom_kills"},
    {"container.disk.io.rate", {{{kDirection, "read"}}}},
    {"container.disk.io.rate", {{{kDirection, "write"}}}},
    {"container.disk.io", {{{kDirection, "read"}}}},
    {"container.disk.io", {{{kDirection, "write"}}}},
    {"container.thread.count"},
    {"container.thread.limit"},
    {"container.pressure.stall", {{{"resource", "cpu"}, {"type", "some"}}}},
    {"container.pressure.stall", {{{"resource", "cpu"}, {"type", "full"}}}},
    {"container.pressure.stall", {{{"resource", "memory"}, {"type", "some"}}}},
    {"container.pressure.stall", {{{"resource", "memory"}, {"type", "full"}}}},
    {"container.pressure.stall", {{{"resource", "io"}, {"type", "some"}}}},
    {"container.pressure.stall", {{{"resource", "io"}, {"type", "full"}}}},
}};

int64_t bounded(uint64_t value) { return static_cast<int64_t>(std::min<uint64_t>(value, INT64_MAX)); }

// Numbers series when they are first needed, and adds their points.
class Adder {
 public:
  template <size_t N>
  Adder(const metrics::Labels& labels, std::array<metrics::SeriesId, N>& ids, TickBuilder& out)
      : labels_(labels), ids_(ids), out_(out) {
    static_assert(N >= kPlaces);
  }
  void integer(size_t place, int64_t value) { out_.add_integer(id(place), value); }
  void share(size_t place, uint64_t part, uint64_t whole) { out_.add_share(id(place), part, whole); }

 private:
  metrics::SeriesId id(size_t place) {
    metrics::SeriesId& id = ids_[place];
    if (id != kNoSeries) return id;
    metrics::Labels labels = labels_;
    for (const auto& [key, value] : kSeries[place].labels) {
      if (!key.empty()) metrics::set_label(labels, key, value);
    }
    return id = out_.intern(kSeries[place].metric, std::move(labels));
  }

  const metrics::Labels& labels_;
  std::span<metrics::SeriesId> ids_;
  TickBuilder& out_;
};

// Like Delta::update. A missing value ends the baseline, because the next growth would be that of several ticks.
bool update(Delta& delta, const std::optional<uint64_t>& value, uint64_t& growth) {
  if (value) return delta.update(*value, growth);
  delta = {};
  return false;
}

// Whether a folder can have subfolders; with most filesystems, cgroup's among them, its links tell.
bool may_have_folders(const std::string& path) {
  struct stat info{};
  return stat(path.c_str(), &info) == 0 && info.st_nlink != 2;
}

}  // namespace

void ContainerFinder::find(const std::string& root, std::vector<Found>& out) {
  out.clear();
  folders_ = 0;
  walk(root, "", 0, out);
}

void ContainerFinder::walk(const std::string& root, const std::string& path, int level, std::vector<Found>& out) {
  if (++folders_ > kMostFolders || level > kMostLevels) return;
  DIR* const folder = opendir((root + path).c_str());
  if (folder == nullptr) return;
  std::vector<std::string> names;
  while (const dirent* const entry = readdir(folder)) {  // NOLINT(concurrency-mt-unsafe): a stream of our own
    const std::string_view name = entry->d_name;
    if (entry->d_type == DT_DIR && name != "." && name != "..") names.emplace_back(name);
  }
  closedir(folder);
  std::ranges::sort(names);
  for (const std::string& name : names) {
    std::string below = path + "/" + name;
    if (auto container = container_of(below)) out.emplace_back(below, std::move(*container));
    if (may_have_folders(root + below)) walk(root, below, level + 1, out);
  }
}

ContainersCollector::ContainersCollector(const Roots& roots)
    : reader_(roots.sysfs), labels_(roots), mount_(roots.sysfs + "/fs/cgroup") {
  static_assert(kSeriesCount >= kPlaces);
}

void ContainersCollector::configure(const std::vector<config::MetricSelection>& selections) {
  const config::MetricSelection* const selection = find_selection(selections, "containers");
  wanted_ = selection != nullptr;
  counters_ = wanted_ && selection->has("counters");
  pressure_ = wanted_ && selection->has("pressure");
  most_ = wanted_ ? static_cast<size_t>(selection->count(metrics::kMostContainers)) : 0;
  if (wanted_) return;
  // The baselines are dropped, because rates would average over the pause.
  containers_.clear();
  last_mono_ = 0;
}

void ContainersCollector::adopt(const Collector& from) {
  const auto& other = static_cast<const ContainersCollector&>(from);
  containers_ = other.containers_;
  last_mono_ = other.last_mono_;
  reading_ = other.reading_;
  forget_series();
}

void ContainersCollector::forget_series() {
  for (auto& [path, container] : containers_) container.ids.fill(kNoSeries);
  count_id_ = omitted_id_ = kNoSeries;
}

// Which containers exist now. The first ones by path are kept, and those that had series keep them.
void ContainersCollector::look_for(const Timestamp& now) {
  finder_.find(reader_.root(), found_);
  ++reading_;
  size_t known = 0;
  for (const auto& [path, identity] : found_) {
    const auto at = containers_.find(path);
    if (at == containers_.end()) continue;
    at->second.last_reading = reading_;
    ++known;
  }
  std::erase_if(containers_, [this](const auto& entry) { return entry.second.last_reading != reading_; });
  const bool is_new = known < std::min(found_.size(), most_);
  const bool due = labels_.refresh(now.mono_ns, is_new);
  for (const auto& [path, identity] : found_) {
    if (known >= most_) break;
    if (containers_.contains(path)) continue;
    Container container{.identity = identity, .labels = labels_.of(identity), .last_reading = reading_};
    container.ids.fill(kNoSeries);
    containers_.emplace(path, std::move(container));
    ++known;
  }
  if (!due) return;
  for (auto& [path, container] : containers_) {
    auto labels = labels_.of(container.identity);
    if (labels == container.labels) continue;
    container.labels = std::move(labels);
    container.ids.fill(kNoSeries);
  }
}

void ContainersCollector::log_omitted(size_t omitted) {
  if ((std::exchange(omitted_, omitted) > 0) == (omitted > 0)) return;
  if (omitted > 0) {
    log_warning("more containers than the limit; those beyond it have no series (\"most\" of the selector containers)",
                {{"containers", found_.size()}, {"limit", most_}, {"omitted", omitted}});
  } else {
    log_info("all containers have series again", {{"containers", found_.size()}});
  }
}

Status ContainersCollector::collect(const Timestamp& now, TickBuilder& out) {
  if (!reader_.find_version()) {
    return Error(Code::kNotFound,
                 "no control groups in " + mount_ + ": neither cgroup.controllers (v2) nor a controller's folder (v1)");
  }
  const int64_t elapsed = last_mono_ == 0 ? 0 : now.mono_ns - last_mono_;
  last_mono_ = now.mono_ns;
  look_for(now);
  const size_t omitted = found_.size() - std::min(found_.size(), containers_.size());
  log_omitted(omitted);
  if (count_id_ == kNoSeries) count_id_ = out.intern("container.count");
  if (omitted_id_ == kNoSeries) omitted_id_ = out.intern("container.omitted.count");
  out.add_integer(count_id_, static_cast<int64_t>(found_.size()));
  out.add_integer(omitted_id_, static_cast<int64_t>(omitted));
  for (const auto& [path, identity] : found_) {
    const auto at = containers_.find(path);
    if (at != containers_.end()) add(at->second, reader_.read(path, pressure_), elapsed, out);
  }
  return {};
}

void ContainersCollector::add(Container& container, const CgroupFigures& figures, int64_t elapsed_ns,
                              TickBuilder& out) const {
  add_cpu(container, figures, elapsed_ns, out);
  add_memory(container, figures, out);
  add_io(container, figures, elapsed_ns, out);
  add_pressure(container, figures, elapsed_ns, out);
  Adder adder(container.labels, container.ids, out);
  if (figures.threads) adder.integer(kThreads, bounded(*figures.threads));
  if (figures.thread_limit) adder.integer(kThreadLimit, bounded(*figures.thread_limit));
}

void ContainersCollector::add_cpu(Container& container, const CgroupFigures& figures, int64_t elapsed_ns,
                                  TickBuilder& out) const {
  Adder adder(container.labels, container.ids, out);
  uint64_t growth = 0;
  if (update(container.cpu, figures.cpu_ns, growth) && elapsed_ns > 0) {
    adder.integer(kCpuUsage, scaled_quotient(growth, kCpuSteps, static_cast<uint64_t>(elapsed_ns)));
  }
  if (counters_ && figures.cpu_ns) adder.integer(kCpuTime, bounded(*figures.cpu_ns / kMicros));
  if (!figures.cpu_limit) {
    container.periods = container.throttled = {};
    return;
  }
  const auto& [quota, period] = *figures.cpu_limit;
  adder.integer(kCpuLimit, scaled_quotient(quota, kCpuSteps, period));
  uint64_t periods = 0;
  uint64_t throttled = 0;
  const bool known = update(container.periods, figures.periods, periods);
  if (update(container.throttled, figures.throttled_periods, throttled) && known && elapsed_ns > 0) {
    adder.share(kThrottling, throttled, periods);
  }
  if (counters_ && figures.throttled_ns) adder.integer(kThrottledTime, bounded(*figures.throttled_ns / kMicros));
}

void ContainersCollector::add_memory(Container& container, const CgroupFigures& figures, TickBuilder& out) const {
  Adder adder(container.labels, container.ids, out);
  if (figures.oom_kills) adder.integer(kOomKills, bounded(*figures.oom_kills));
  if (figures.swap) adder.integer(kSwap, bounded(*figures.swap));
  if (figures.memory_limit) adder.integer(kMemoryLimit, bounded(*figures.memory_limit));
  if (!figures.memory) return;
  adder.integer(kMemoryUsage, bounded(*figures.memory));
  if (!figures.inactive_file) return;
  const uint64_t working_set = *figures.memory - std::min(*figures.memory, *figures.inactive_file);
  adder.integer(kWorkingSet, bounded(working_set));
  if (figures.memory_limit) adder.share(kMemoryUtilization, working_set, *figures.memory_limit);
}

void ContainersCollector::add_io(Container& container, const CgroupFigures& figures, int64_t elapsed_ns,
                                 TickBuilder& out) const {
  Adder adder(container.labels, container.ids, out);
  for (size_t i = 0; i < figures.io.size(); ++i) {
    uint64_t growth = 0;
    if (update(container.io[i], figures.io[i], growth) && elapsed_ns > 0) {
      adder.integer(kIoRate + i, per_second(growth, elapsed_ns));
    }
    if (counters_ && figures.io[i]) adder.integer(kIo + i, bounded(*figures.io[i]));
  }
}

void ContainersCollector::add_pressure(Container& container, const CgroupFigures& figures, int64_t elapsed_ns,
                                       TickBuilder& out) const {
  Adder adder(container.labels, container.ids, out);
  for (size_t i = 0; i < container.pressure.size(); ++i) {
    const PressureTotals& totals = figures.pressure[i / 2];
    const auto& total = i % 2 == 0 ? totals.some : totals.full;
    uint64_t growth = 0;
    if (!update(container.pressure[i], total, growth) || elapsed_ns <= 0) continue;
    adder.share(kPressure + i, std::min<uint64_t>(growth, INT64_MAX / kMicros) * kMicros,
                static_cast<uint64_t>(elapsed_ns));
  }
}

std::unique_ptr<Collector> make_containers(const CollectorContext& context) {
  return std::make_unique<ContainersCollector>(context.roots);
}

}  // namespace monitor::agent
