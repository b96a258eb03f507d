#include "ui/top/sections.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "base/escape.h"
#include "metrics/human.h"
#include "query/column.h"

namespace monitor::analysis::top {

namespace {

constexpr size_t kSections = static_cast<size_t>(SectionKind::kOther) + 1;
constexpr std::array<const char*, kSections> kTitles = {"CPU",       "Memory",     "Disks",        "Filesystems",
                                                        "Network",   "Pressure",   "Paging",       "System",
                                                        "Processes", "Containers", "Other metrics"};

constexpr std::array<std::pair<std::string_view, SectionKind>, 10> kPrefixes = {{
    {"system.cpu.", SectionKind::kCpu},
    {"system.memory.", SectionKind::kMemory},
    {"system.disk.", SectionKind::kDisks},
    {"system.filesystem.", SectionKind::kFilesystems},
    {"system.network.", SectionKind::kNetwork},
    {"system.pressure.", SectionKind::kPressure},
    {"system.paging.", SectionKind::kPaging},
    {"system.", SectionKind::kSystem},
    {"process.", SectionKind::kProcesses},
    {"container.", SectionKind::kContainers},
}};

// The labels that name a process or a container (OpenTelemetry's semantic conventions), the best one first. A series
// without any of them is about all, or about the agent's own.
constexpr std::string_view kOwner = "process.owner";
constexpr std::array<std::string_view, 4> kProcessNames = {"process.executable.name", "process.command", "process.name",
                                                           kOwner};
constexpr std::array<std::string_view, 3> kContainerNames = {"container.name", "container.id", "k8s.container.name"};
constexpr std::string_view kPid = "process.pid";

// The start of a container's number of 64 digits, as the runtimes show it.
std::string short_id(std::string name) {
  constexpr size_t kDigits = 64;
  constexpr size_t kShown = 12;
  const bool is_id = name.size() == kDigits && name.find_first_not_of("0123456789abcdef") == std::string::npos;
  return is_id ? name.substr(0, kShown) : name;
}

std::string entity_of(SectionKind kind, const metrics::Series& series) {
  const auto first = [&](std::span<const std::string_view> keys) {
    for (const std::string_view key : keys) {
      if (const auto value = metrics::label_value(series.labels, key); !value.empty()) return std::string(value);
    }
    return std::string();
  };
  if (kind == SectionKind::kContainers) return short_id(first(kContainerNames));
  if (kind != SectionKind::kProcesses) return "";
  const std::string name = first(kProcessNames);
  const std::string pid(metrics::label_value(series.labels, kPid));
  return name.empty() || pid.empty() ? name + pid : pid + " " + name;
}

// "process.cpu.utilization" -> "cpu.utilization", "process.disk.io.rate" -> "disk read"; further labels distinguish
// directions and modes.
std::string column_of(const metrics::Series& series) {
  constexpr std::string_view kRate = ".io.rate";
  std::string out = series.name.substr(series.name.find('.') + 1);
  if (out.ends_with(kRate)) out.resize(out.size() - kRate.size());
  for (const auto& [key, value] : series.labels) {
    const bool told = key.ends_with(".direction") || key.ends_with(".mode") || key.ends_with(".state");
    if (told || key == "resource" || key == "type") out.append(" ").append(value);
  }
  return printable(out);
}

// "system.disk.io.rate{disk.io.direction=read}" -> "disk.io.rate{direction=read}"
std::string brief_name(const metrics::Series& series) {
  constexpr std::string_view kSystem = "system.";
  metrics::Series brief{.name = series.name, .labels = {}};
  if (brief.name.starts_with(kSystem)) brief.name.erase(0, kSystem.size());
  for (const auto& [key, value] : series.labels) brief.labels.emplace_back(key.substr(key.rfind('.') + 1), value);
  return printable(metrics::to_string(brief));
}

class EntityTable {
 public:
  void add(const std::string& entity, const LiveValue& value) {
    const std::string column = column_of(value.series);
    cells_[entity][column] = {metrics::human_value(value.series, value.value), value.value};
    columns_[column] = rank_of(value.series.name);
    const std::string_view owner = metrics::label_value(value.series.labels, kOwner);
    if (owner.empty()) return;
    cells_[entity]["user"] = {std::string(owner), 0};
    columns_["user"] = kLastRank;
  }

  Entities table() const {
    Entities out;
    std::vector<std::pair<int, std::string>> order;
    order.reserve(columns_.size());
    for (const auto& [name, rank] : columns_) order.emplace_back(rank, name);
    std::ranges::sort(order);
    out.columns.reserve(order.size());
    for (const auto& [rank, name] : order) out.columns.push_back(name);
    for (const auto& [entity, cells] : cells_) {
      Entities::Row row{.name = printable(entity)};
      for (const std::string& column : out.columns) {
        const auto found = cells.find(column);
        row.cells.push_back(found == cells.end() ? "-" : printable(found->second.first));
      }
      if (const auto busy = cells.find(out.columns.front()); busy != cells.end()) row.order = busy->second.second;
      out.rows.push_back(std::move(row));
    }
    std::ranges::stable_sort(out.rows, [](const auto& a, const auto& b) { return a.order > b.order; });
    return out;
  }
  bool empty() const { return cells_.empty(); }

 private:
  static constexpr int kLastRank = 3;
  static int rank_of(std::string_view metric) {
    if (metric.find(".cpu.") != std::string_view::npos) return 0;
    return metric.find(".memory.") != std::string_view::npos ? 1 : 2;
  }

  std::map<std::string, std::map<std::string, std::pair<std::string, double>>> cells_;  // by entity and column
  std::map<std::string, int> columns_;                                                  // with their rank
};

std::string absent_text(SectionKind kind, const std::string& agent) {
  return "Not collected. To switch on: monitor-config set --agent-id " + printable(agent) + " --metrics cpu memory " +
         (kind == SectionKind::kProcesses ? "processes" : "containers");
}

// The time of the newest values of processes and of containers. An entity without a value then has ended, or is no
// longer among those that the agent sends.
std::array<int64_t, kSections> newest_entities(const LiveAgent& agent) {
  std::array<int64_t, kSections> newest{};
  for (const LiveValue& value : agent.values) {
    const SectionKind kind = section_of(value.series.name);
    int64_t& time = newest[static_cast<size_t>(kind)];
    if (!entity_of(kind, value.series).empty()) time = std::max(time, value.time_ns);
  }
  return newest;
}

// Without the labels of the agent's configuration, which all its series carry.
metrics::Series own_series(const LiveAgent& agent, const metrics::Series& series) {
  metrics::Series own = series;
  std::erase_if(own.labels,
                [&](const auto& label) { return std::ranges::find(agent.labels, label) != agent.labels.end(); });
  return own;
}

// The whole host before its parts.
bool series_less(const SectionSeries& a, const SectionSeries& b) {
  if (a.labels != b.labels) return a.labels < b.labels;
  return name_less(a.name, b.name);
}

}  // namespace

const char* title_of(SectionKind kind) { return kTitles[static_cast<size_t>(kind)]; }

SectionKind section_of(std::string_view metric) {
  for (const auto& [prefix, kind] : kPrefixes) {
    if (metric.starts_with(prefix)) return kind;
  }
  return SectionKind::kOther;
}

std::vector<Section> sections_of(const LiveAgent& agent) {
  std::array<Section, kSections> all;
  std::array<EntityTable, kSections> tables;
  const auto newest = newest_entities(agent);
  for (size_t i = 0; i < agent.values.size(); ++i) {
    const LiveValue& value = agent.values[i];
    const auto place = static_cast<size_t>(section_of(value.series.name));
    if (const std::string entity = entity_of(static_cast<SectionKind>(place), value.series); !entity.empty()) {
      if (value.time_ns >= newest[place]) tables[place].add(entity, value);
      continue;
    }
    const metrics::Series own = own_series(agent, value.series);
    SectionSeries series{.name = printable(metrics::to_string(own)),
                         .brief = brief_name(own),
                         .value = printable(metrics::human_value(value.series, value.value)),
                         .labels = own.labels.size(),
                         .index = i};
    if (value.series.unit == "1" && value.series.name.ends_with("utilization")) series.share = value.value;
    all[place].series.push_back(std::move(series));
  }
  std::vector<Section> found;
  for (size_t i = 0; i < kSections; ++i) {
    Section& one = all[i];
    one.kind = static_cast<SectionKind>(i);
    std::ranges::sort(one.series, series_less);
    const bool always = one.kind == SectionKind::kProcesses || one.kind == SectionKind::kContainers;
    if (!tables[i].empty()) {
      one.entities = tables[i].table();
    } else if (always) {
      one.absent = absent_text(one.kind, agent.name);
    }
    if (always || !one.series.empty()) found.push_back(std::move(one));
  }
  return found;
}

bool name_less(std::string_view a, std::string_view b) {
  if (query::natural_less(a, b)) return true;
  return !query::natural_less(b, a) && a < b;  // a01 and a1
}

}  // namespace monitor::analysis::top
