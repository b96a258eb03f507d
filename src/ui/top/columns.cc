#include "ui/top/columns.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "views/fleet/past.h"

namespace monitor::analysis::top {

namespace {

constexpr size_t kLeastChart = 6;
// Names are at least so long before charts grow, and become longer when the charts are complete.
constexpr size_t kShortName = 18;
constexpr size_t kLongName = 24;

constexpr std::array<ColumnSpec, 15> kColumns = {{
    {.id = Column::kState, .name = "state", .heading = "STATE", .meaning = "alive, late, spooling, ...", .width = 8},
    {.id = Column::kAgent, .name = "agent", .heading = "AGENT", .meaning = "the agent's id", .width = 12},
    {.id = Column::kHost, .name = "host", .heading = "HOST", .meaning = "the host's name", .width = 12, .rank = 5},
    {.id = Column::kCpu,
     .name = "cpu",
     .heading = "CPU %",
     .meaning = "busy processors",
     .width = 5,
     .chart = true,
     .rank = 14},
    {.id = Column::kMemory,
     .name = "memory",
     .heading = "MEM %",
     .meaning = "used memory",
     .width = 5,
     .chart = true,
     .rank = 13},
    {.id = Column::kDisk,
     .name = "disk",
     .heading = "DISK MB/s",
     .meaning = "read and written",
     .width = 6,
     .chart = true,
     .rank = 12},
    {.id = Column::kNetwork,
     .name = "net",
     .heading = "NET MB/s",
     .meaning = "received and sent",
     .width = 6,
     .chart = true,
     .rank = 11},
    {.id = Column::kLoad,
     .name = "load",
     .heading = "LOAD",
     .meaning = "load average of 1 minute",
     .width = 6,
     .right = true,
     .rank = 7},
    {.id = Column::kFilesystem,
     .name = "fs",
     .heading = "FS %",
     .meaning = "the fullest filesystem",
     .width = 6,
     .right = true,
     .rank = 8},
    {.id = Column::kUnusual,
     .name = "unusual",
     .heading = "UNUSUAL %",
     .meaning = "share of its series that are unusual at once",
     .width = 10,
     .right = true,
     .rank = 1},
    {.id = Column::kUptime,
     .name = "uptime",
     .heading = "UPTIME",
     .meaning = "since the host has started",
     .width = 7,
     .right = true,
     .standard = false,
     .rank = 4},
    {.id = Column::kWaiting,
     .name = "waiting",
     .heading = "WAITING",
     .meaning = "batches in the agent's spool",
     .width = 8,
     .right = true,
     .standard = false,
     .rank = 9},
    {.id = Column::kVersion,
     .name = "version",
     .heading = "VERSION",
     .meaning = "of the agent",
     .width = 9,
     .standard = false,
     .rank = 3},
    {.id = Column::kLabels,
     .name = "labels",
     .heading = "LABELS",
     .meaning = "of the agent's configuration",
     .width = 16,
     .standard = false,
     .rank = 2},
    {.id = Column::kTick,
     .name = "tick",
     .heading = "TICK",
     .meaning = "age of the newest tick",
     .width = 8,
     .right = true,
     .rank = 6},
}};

bool always(Column id) { return spec_of(id).rank == 0; }

size_t least_width(Column id) { return spec_of(id).width + (spec_of(id).chart ? 1 + kLeastChart : 0); }

size_t width_of(const std::vector<Placed>& placed) {
  size_t all = placed.empty() ? 0 : placed.size() - 1;
  for (const Placed& one : placed) all += one.width;
  return all;
}

// Gives each of the columns that `wants` accepts up to `most` more.
template <typename Wants>
void widen(std::vector<Placed>& placed, size_t& spare, size_t most, const Wants& wants) {
  const auto count = static_cast<size_t>(std::ranges::count_if(placed, wants));
  if (count == 0) return;
  const size_t each = std::min(spare / count, most);
  for (Placed& one : placed) {
    if (!wants(one)) continue;
    one.width += each;
    spare -= each;
  }
}

}  // namespace

std::span<const ColumnSpec> all_columns() { return kColumns; }

const ColumnSpec& spec_of(Column id) { return kColumns[static_cast<size_t>(id)]; }

std::optional<Column> find_column(std::string_view name) {
  if (name == "mem") return Column::kMemory;
  for (const ColumnSpec& one : kColumns) {
    if (one.name == name) return one.id;
  }
  return std::nullopt;
}

ColumnSet standard_columns() {
  ColumnSet set;
  for (const ColumnSpec& one : kColumns) {
    if (one.standard) set.push_back(one.id);
  }
  return set;
}

void toggle(ColumnSet& set, Column id) {
  if (always(id)) return;
  if (std::erase(set, id) > 0) return;
  set.insert(std::ranges::lower_bound(set, id), id);
}

Result<ColumnSet> parse_columns(std::string_view text, const ColumnSet& now) {
  if (text == "standard") return standard_columns();
  const bool changes = text.starts_with('+') || text.starts_with('-');
  ColumnSet set = changes ? now : ColumnSet{Column::kState, Column::kAgent};
  for (std::string_view word : split(text, ',')) {
    word = trim(word);
    const bool add = !word.starts_with('-');
    const std::string_view name = word.starts_with('+') || !add ? word.substr(1) : word;
    const auto id = find_column(name);
    if (!id) {
      return Error(Code::kInvalidArgument,
                   "there is no column " + json_quote(name) + "; there are " + to_string(ColumnSet{}));
    }
    if (add != (std::ranges::find(set, *id) != set.end())) toggle(set, *id);
  }
  return set;
}

std::string to_string(const ColumnSet& set) {
  std::string out;
  for (const ColumnSpec& one : kColumns) {
    if (set.empty() || std::ranges::find(set, one.id) != set.end())
      out += (out.empty() ? "" : ",") + std::string(one.name);
  }
  return out;
}

std::vector<Placed> place_columns(const ColumnSet& set, size_t width) {
  std::vector<Placed> placed;
  placed.reserve(set.size());
  for (const Column id : set) placed.push_back({.id = id, .width = least_width(id)});
  while (width_of(placed) > width) {
    const auto last = std::ranges::min_element(
        placed, {}, [](const Placed& one) { return always(one.id) ? UINT8_MAX : spec_of(one.id).rank; });
    if (always(last->id)) break;
    placed.erase(last);
  }
  size_t spare = width - std::min(width, width_of(placed));
  const auto name = [](const Placed& one) { return one.id == Column::kAgent || one.id == Column::kHost; };
  const auto agent = [](const Placed& one) { return one.id == Column::kAgent; };
  const auto chart = [](const Placed& one) { return spec_of(one.id).chart; };
  widen(placed, spare, kShortName - spec_of(Column::kAgent).width, name);
  widen(placed, spare, Past::kSteps - kLeastChart, chart);
  widen(placed, spare, kLongName, name);
  widen(placed, spare, SIZE_MAX, agent);
  size_t at = 0;
  for (Placed& one : placed) {
    one.at = at;
    at += one.width + 1;
  }
  return placed;
}

}  // namespace monitor::analysis::top
