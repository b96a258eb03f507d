// Sensors of the hardware: temperatures, fans, voltages, currents and power of hwmon chips
// (Documentation/hwmon/sysfs-interface.rst), temperatures of thermal zones (driver-api/thermal/sysfs-api.rst), and
// energy of powercap zones (power/powercap/powercap.rst).
//
// Which sensors exist is read when chips come or go, and from time to time (Freshness). No file stays open: hosts with
// hundreds of sensors exist, and an agent may open 1,024 files.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "inputs/proc/collectors.h"
#include "inputs/proc/sysfs.h"

namespace monitor::agent {

namespace {

constexpr size_t kMostSensors = 2'000;
constexpr size_t kLimits = 4;

// The kinds of hwmon sensors. The kernel's unit is the metric's times a power of ten, as the metric's exponent says.
struct Kind {
  std::string_view prefix;  // of files: "temp" of temp1_input
  std::string_view metric;
  std::string_view limit = {};  // the metric of its limits
};
constexpr std::array<Kind, 6> kKinds = {{{"temp", "hw.temperature", "hw.temperature.limit"},
                                         {"fan", "hw.fan.speed", "hw.fan.speed.limit"},
                                         {"in", "hw.voltage", "hw.voltage.limit"},
                                         {"curr", "hw.current"},
                                         {"power", "hw.power"},
                                         {"energy", "hw.energy"}}};
struct Limit {
  std::string_view file;
  std::string_view type;
};
constexpr std::array<Limit, kLimits> kLimitFiles = {
    {{"_crit", "high.critical"}, {"_max", "high.degraded"}, {"_min", "low.degraded"}, {"_lcrit", "low.critical"}}};

struct Sensor {
  std::string_view metric;
  std::string_view limit;
  std::string file;                              // its value
  std::string fault;                             // "1": the value means nothing; empty: there is no such file
  std::array<std::string, kLimits> limit_files;  // empty: no limit
  metrics::Labels labels;
  metrics::SeriesId id = kNoSeries;
  std::array<metrics::SeriesId, kLimits> limit_ids{kNoSeries, kNoSeries, kNoSeries, kNoSeries};
  // Of an energy counter: what it shows before it starts again at 0, and the series of its growth.
  uint64_t range = 0;
  std::optional<uint64_t> last = {};
  metrics::SeriesId power_id = kNoSeries;
};

// "../../coretemp.0" -> "coretemp.0"
std::string last_part(const std::string& path) { return path.substr(path.rfind('/') + 1); }

metrics::Labels labels_of(const std::string& id, const std::string& name, const std::string& parent) {
  return {{"hw.id", sanitize_utf8(id)}, {"hw.name", sanitize_utf8(name)}, {"hw.parent", sanitize_utf8(parent)}};
}

class SensorsCollector final : public Collector {
 public:
  explicit SensorsCollector(const Roots& roots) : class_(roots.sysfs + "/class/") {}

  void configure(const std::vector<config::MetricSelection>& selections) override {
    const config::MetricSelection* const selection = find_selection(selections, "sensors");
    wanted_ = selection != nullptr;
    limits_ = wanted_ && selection->has("limits");
    if (wanted_) return;
    sensors_.clear();
    freshness_ = {};
    last_mono_ = 0;
  }
  bool wanted() const override { return wanted_; }
  void adopt(const Collector& from) override {
    const auto& other = static_cast<const SensorsCollector&>(from);
    sensors_ = other.sensors_;
    freshness_ = other.freshness_;
    last_mono_ = other.last_mono_;
    forget_series();
  }
  void forget_series() override {
    for (Sensor& sensor : sensors_) {
      sensor.id = sensor.power_id = kNoSeries;
      sensor.limit_ids.fill(kNoSeries);
    }
  }
  Status collect(const Timestamp& now, TickBuilder& out) override;

 private:
  void look_for(int64_t mono_ns);
  void find_chip(const std::string& chip);
  void find_zone(const std::string& zone);
  void find_energy(const std::string& zone);
  void add_found(Sensor sensor) {
    if (sensors_.size() < kMostSensors) sensors_.push_back(std::move(sensor));
  }
  void add_energy(Sensor& sensor, int64_t value, int64_t elapsed_ns, TickBuilder& out) const;
  void add_limits(Sensor& sensor, TickBuilder& out) const;

  std::string class_;
  bool wanted_ = false;
  bool limits_ = false;
  Freshness freshness_;
  int64_t last_mono_ = 0;
  std::vector<Sensor> sensors_;
};

std::optional<int64_t> number_in(const std::string& path) { return parse_i64(trim(first_line(path))); }

void SensorsCollector::find_chip(const std::string& chip) {
  const std::string folder = class_ + "hwmon/" + chip + "/";
  // A thermal zone that the kernel shows as a chip as well.
  if (link_target(class_ + "hwmon/" + chip).find("/thermal_zone") != std::string::npos) return;
  const std::string device = last_part(link_target(folder + "device"));
  // Drivers before 3.15 have their files in the device's folder.
  const bool in_device = first_line(folder + "name").empty() && !first_line(folder + "device/name").empty();
  const std::string files = in_device ? folder + "device/" : folder;
  const std::string named = first_line(files + "name");
  const std::string& name = named.empty() ? chip : named;
  auto entries = folder_entries(files);
  std::ranges::sort(entries);
  for (const std::string& entry : entries) {
    for (const Kind& kind : kKinds) {
      std::string_view rest = entry;
      if (!rest.starts_with(kind.prefix)) continue;
      rest.remove_prefix(kind.prefix.size());
      const size_t end = rest.find('_');
      if (end == std::string_view::npos || !parse_u64(rest.substr(0, end))) continue;
      const std::string one = entry.substr(0, entry.find('_'));
      const bool average = kind.prefix == "power" && rest.substr(end) == "_average" &&
                           !std::ranges::binary_search(entries, one + "_input");
      if (rest.substr(end) != "_input" && !average) continue;
      Sensor sensor{.metric = kind.metric,
                    .limit = kind.limit,
                    .file = files + entry,
                    .fault = {},
                    .limit_files = {},
                    .labels = {}};
      if (std::ranges::binary_search(entries, one + "_fault")) sensor.fault = files + one + "_fault";
      for (size_t i = 0; i < kLimits; ++i) {
        const std::string limit = one + std::string(kLimitFiles[i].file);
        if (!kind.limit.empty() && std::ranges::binary_search(entries, limit)) sensor.limit_files[i] = files + limit;
      }
      const std::string label = first_line(files + one + "_label");
      const std::string of = device.empty() ? chip : device;
      sensor.labels = labels_of(fmt::format("{}:{}:{}", name, of, one), label.empty() ? one : label, name);
      add_found(std::move(sensor));
    }
  }
}

void SensorsCollector::find_zone(const std::string& zone) {
  if (!zone.starts_with("thermal_zone")) return;
  const std::string folder = class_ + "thermal/" + zone + "/";
  const std::string type = first_line(folder + "type");
  Sensor sensor{
      .metric = "hw.temperature", .limit = {}, .file = folder + "temp", .fault = {}, .limit_files = {}, .labels = {}};
  sensor.labels = labels_of(zone, type.empty() ? zone : type, "thermal");
  add_found(std::move(sensor));
}

void SensorsCollector::find_energy(const std::string& zone) {
  const std::string folder = class_ + "powercap/" + zone + "/";
  const auto range = parse_u64(first_line(folder + "max_energy_range_uj"));
  if (!range) return;
  const std::string name = first_line(folder + "name");
  Sensor sensor{
      .metric = "hw.energy", .limit = {}, .file = folder + "energy_uj", .fault = {}, .limit_files = {}, .labels = {}};
  sensor.labels = labels_of(zone, name.empty() ? zone : name, "powercap");
  sensor.range = *range;
  add_found(std::move(sensor));
}

void SensorsCollector::look_for(int64_t mono_ns) {
  uint64_t shape = 0;
  size_t devices = 1;
  std::array<std::vector<std::string>, 3> names;
  constexpr std::array<std::string_view, 3> kFolders = {"hwmon", "thermal", "powercap"};
  for (size_t i = 0; i < kFolders.size(); ++i) {
    names[i] = folder_entries(class_ + std::string(kFolders[i]));
    std::ranges::sort(names[i]);
    for (const std::string& name : names[i]) shape = shape * 31 + std::hash<std::string>{}(name);
    devices += 20 * names[i].size();
  }
  if (!freshness_.stale(shape, devices, mono_ns)) return;
  std::vector<Sensor> before = std::move(sensors_);
  sensors_.clear();
  for (const std::string& one : names[0]) find_chip(one);
  for (const std::string& one : names[1]) find_zone(one);
  for (const std::string& one : names[2]) find_energy(one);
  for (Sensor& sensor : sensors_) {
    const auto old = std::ranges::find(before, sensor.file, &Sensor::file);
    if (old == before.end() || old->labels != sensor.labels) continue;
    sensor.id = old->id;
    sensor.limit_ids = old->limit_ids;
    sensor.power_id = old->power_id;
    sensor.last = old->last;
  }
}

// Chips count microjoules from the start of their driver; powercap's counters start again at the end of their range.
void SensorsCollector::add_energy(Sensor& sensor, int64_t value, int64_t elapsed_ns, TickBuilder& out) const {
  const auto now = static_cast<uint64_t>(std::max<int64_t>(value, 0));
  const auto before = std::exchange(sensor.last, now);
  if (!before || elapsed_ns <= 0) return;
  uint64_t growth = 0;
  if (now >= *before) {
    growth = now - *before;
  } else if (*before <= sensor.range) {
    growth = sensor.range - *before + now;
  } else {
    return;
  }
  if (sensor.power_id == kNoSeries) sensor.power_id = out.intern("hw.power", sensor.labels);
  out.add_integer(sensor.power_id, per_second(growth, elapsed_ns));
}

void SensorsCollector::add_limits(Sensor& sensor, TickBuilder& out) const {
  for (size_t i = 0; i < kLimits; ++i) {
    if (sensor.limit_files[i].empty()) continue;
    const auto value = number_in(sensor.limit_files[i]);
    if (!value) continue;
    if (sensor.limit_ids[i] == kNoSeries) {
      metrics::Labels labels = sensor.labels;
      metrics::set_label(labels, "hw.limit_type", kLimitFiles[i].type);
      sensor.limit_ids[i] = out.intern(sensor.limit, std::move(labels));
    }
    out.add_integer(sensor.limit_ids[i], *value);
  }
}

Status SensorsCollector::collect(const Timestamp& now, TickBuilder& out) {
  const int64_t elapsed = last_mono_ == 0 ? 0 : now.mono_ns - last_mono_;
  last_mono_ = now.mono_ns;
  look_for(now.mono_ns);
  for (Sensor& sensor : sensors_) {
    const bool faulty = !sensor.fault.empty() && number_in(sensor.fault).value_or(0) != 0;
    // A sensor that is switched off, or whose device sleeps, has no value now.
    const auto value = faulty ? std::nullopt : number_in(sensor.file);
    if (!value) {
      sensor.last.reset();
      continue;
    }
    if (sensor.metric == "hw.energy") add_energy(sensor, *value, elapsed, out);
    if (sensor.id == kNoSeries) sensor.id = out.intern(sensor.metric, sensor.labels);
    out.add_integer(sensor.id, *value);
    if (limits_) add_limits(sensor, out);
  }
  return {};
}

}  // namespace

std::unique_ptr<Collector> make_sensors(const CollectorContext& context) {
  return std::make_unique<SensorsCollector>(context.roots);
}

}  // namespace monitor::agent
