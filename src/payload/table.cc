#include "payload/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/text.h"

namespace monitor::payload {

namespace {

// As text: labels as KEY=VALUE, and the keys of the slots, separated by commas.
struct Line {
  std::string_view name;
  std::string_view labels;
  std::string_view slots;
  std::string_view unit;
  Form form = Form::kCount;
  metrics::Kind kind = metrics::Kind::kGauge;
  int exponent = 0;
  uint32_t part = 0;
  uint32_t whole = 0;
};

constexpr int kShareExponent = -4;
constexpr int kFineShareExponent = -6;
constexpr int kHundredths = -2;
constexpr auto kGauge = metrics::Kind::kGauge;
constexpr auto kCounter = metrics::Kind::kCounter;
constexpr std::string_view kCpu = "system.cpu.utilization";
constexpr std::string_view kDisk = "system.device";
constexpr std::string_view kCore = "cpu.logical_number";
constexpr std::string_view kInterface = "network.interface.name";
constexpr std::string_view kMount = "system.device,system.filesystem.mountpoint,system.filesystem.type";
constexpr std::string_view kReceive = "network.io.direction=receive";
constexpr std::string_view kTransmit = "network.io.direction=transmit";
constexpr std::string_view kRead = "disk.io.direction=read";
constexpr std::string_view kWrite = "disk.io.direction=write";
constexpr std::string_view kSwapUsed = "system.paging.state=used";
constexpr std::string_view kSpaceUsed = "system.filesystem.state=used";

constexpr Line share(std::string_view name, std::string_view labels, std::string_view slots = "") {
  return {name, labels, slots, "1", Form::kCount, kGauge, kShareExponent};
}
constexpr Line share_of_rows(std::string_view name, uint32_t part, uint32_t whole) {
  return {name, "", "", "1", Form::kShare, kGauge, kShareExponent, part, whole};
}
constexpr Line bytes(std::string_view name, Form form, std::string_view labels = "", std::string_view slots = "") {
  return {name, labels, slots, "By", form};
}
constexpr Line total(std::string_view name, std::string_view unit, std::string_view labels, std::string_view slots = "",
                     Form form = Form::kCount) {
  return {name, labels, slots, unit, form, kCounter};
}
constexpr Line rate(std::string_view name, std::string_view unit, std::string_view labels, std::string_view slots = "",
                    Form form = Form::kRate) {
  return {name, labels, slots, unit, form};
}
constexpr Line hundredths(std::string_view name, std::string_view unit) {
  return {name, "", "", unit, Form::kCount, kGauge, kHundredths};
}

constexpr Line processes(std::string_view name, std::string_view labels, std::string_view slots = "") {
  return {name, labels, slots, "{process}"};
}
constexpr Line fine_share(std::string_view name, std::string_view slots) {
  return {name, "", slots, "1", Form::kCount, kGauge, kFineShareExponent};
}

constexpr std::string_view kDiskRate = "system.disk.io.rate";
constexpr std::string_view kDiskTotal = "system.disk.io";
constexpr std::string_view kNetRate = "system.network.io.rate";
constexpr std::string_view kNetTotal = "system.network.io";
constexpr std::string_view kErrorRate = "system.network.errors.rate";
constexpr std::string_view kErrors = "system.network.errors";
constexpr std::string_view kDropRate = "system.network.packet.dropped.rate";
constexpr std::string_view kDropped = "system.network.packet.dropped";
constexpr std::string_view kStall = "system.pressure.stall";
constexpr std::string_view kFault = "system.paging.faults";
constexpr std::string_view kFaultRate = "system.paging.faults.rate";
constexpr std::string_view kSwap = "system.paging.operations";
constexpr std::string_view kSwapRate = "system.paging.operations.rate";
constexpr std::string_view kPaged = "system.paging.io";
constexpr std::string_view kPagedRate = "system.paging.io.rate";
constexpr std::string_view kMinor = "system.paging.fault.type=minor";
constexpr std::string_view kMajor = "system.paging.fault.type=major";
constexpr std::string_view kProcess = "process.command,process.owner,process.pid";
constexpr std::string_view kGroup = "process.group";
constexpr std::string_view kOwner = "process.owner";
constexpr std::string_view kGroupCount = "system.process.group.count";
constexpr std::string_view kGroupCpu = "system.process.group.cpu.utilization";
constexpr std::string_view kGroupMemory = "system.process.group.memory.usage";
constexpr std::string_view kGroupRate = "system.process.group.disk.io.rate";
constexpr std::string_view kIn = "system.paging.direction=in";
constexpr std::string_view kOut = "system.paging.direction=out";

// The numbers are the positions.
constexpr std::array kLines = {
    // 0 to 7: the default selection
    share(kCpu, ""),
    share_of_rows("system.memory.utilization", 2, 3),
    bytes("system.memory.usage", Form::kPages, "system.memory.state=used"),
    bytes("system.memory.limit", Form::kPages),
    rate(kDiskRate, "By/s", kRead, "", Form::kPageRate),
    rate(kDiskRate, "By/s", kWrite, "", Form::kPageRate),
    rate(kNetRate, "By/s", kReceive),
    rate(kNetRate, "By/s", kTransmit),
    // 8 to 24: processors
    share(kCpu, "cpu.mode=user"),
    share(kCpu, "cpu.mode=nice"),
    share(kCpu, "cpu.mode=system"),
    share(kCpu, "cpu.mode=idle"),
    share(kCpu, "cpu.mode=iowait"),
    share(kCpu, "cpu.mode=interrupt"),
    share(kCpu, "cpu.mode=softirq"),
    share(kCpu, "cpu.mode=steal"),
    share(kCpu, "", kCore),
    share(kCpu, "cpu.mode=user", kCore),
    share(kCpu, "cpu.mode=nice", kCore),
    share(kCpu, "cpu.mode=system", kCore),
    share(kCpu, "cpu.mode=idle", kCore),
    share(kCpu, "cpu.mode=iowait", kCore),
    share(kCpu, "cpu.mode=interrupt", kCore),
    share(kCpu, "cpu.mode=softirq", kCore),
    share(kCpu, "cpu.mode=steal", kCore),
    // 25 to 34: memory and swap
    bytes("system.paging.usage", Form::kPages, kSwapUsed),
    share("system.paging.utilization", kSwapUsed),
    bytes("system.memory.zfs.arc.usage", Form::kCount),
    bytes("system.memory.zfs.arc.reclaimable", Form::kCount),
    bytes("container.memory.usage", Form::kPages),
    bytes("container.memory.working_set", Form::kPages),
    bytes("container.memory.limit", Form::kPages),
    share_of_rows("container.memory.utilization", 30, 31),
    bytes("container.paging.usage", Form::kPages),
    bytes("container.paging.limit", Form::kPages),
    // 35 to 45: load, uptime, pressure
    hundredths("system.cpu.load_average.1m", "1"),
    hundredths("system.cpu.load_average.5m", "1"),
    hundredths("system.cpu.load_average.15m", "1"),
    hundredths("system.uptime", "s"),
    share(kStall, "resource=cpu,type=some"),
    share(kStall, "resource=cpu,type=full"),
    share(kStall, "resource=memory,type=some"),
    share(kStall, "resource=memory,type=full"),
    share(kStall, "resource=io,type=some"),
    share(kStall, "resource=io,type=full"),
    share(kStall, "resource=irq,type=full"),
    // 46 to 51: disks
    total(kDiskTotal, "By", kRead, "", Form::kSectors),
    total(kDiskTotal, "By", kWrite, "", Form::kSectors),
    rate(kDiskRate, "By/s", kRead, kDisk, Form::kPageRate),
    rate(kDiskRate, "By/s", kWrite, kDisk, Form::kPageRate),
    total(kDiskTotal, "By", kRead, kDisk, Form::kSectors),
    total(kDiskTotal, "By", kWrite, kDisk, Form::kSectors),
    // 52 to 73: network interfaces
    total(kNetTotal, "By", kReceive),
    total(kNetTotal, "By", kTransmit),
    rate(kErrorRate, "{error}/s", kReceive),
    rate(kErrorRate, "{error}/s", kTransmit),
    rate(kDropRate, "{packet}/s", kReceive),
    rate(kDropRate, "{packet}/s", kTransmit),
    total(kErrors, "{error}", kReceive),
    total(kErrors, "{error}", kTransmit),
    total(kDropped, "{packet}", kReceive),
    total(kDropped, "{packet}", kTransmit),
    rate(kNetRate, "By/s", kReceive, kInterface),
    rate(kNetRate, "By/s", kTransmit, kInterface),
    total(kNetTotal, "By", kReceive, kInterface),
    total(kNetTotal, "By", kTransmit, kInterface),
    rate(kErrorRate, "{error}/s", kReceive, kInterface),
    rate(kErrorRate, "{error}/s", kTransmit, kInterface),
    rate(kDropRate, "{packet}/s", kReceive, kInterface),
    rate(kDropRate, "{packet}/s", kTransmit, kInterface),
    total(kErrors, "{error}", kReceive, kInterface),
    total(kErrors, "{error}", kTransmit, kInterface),
    total(kDropped, "{packet}", kReceive, kInterface),
    total(kDropped, "{packet}", kTransmit, kInterface),
    // 74 to 85: paging
    rate(kFaultRate, "{fault}/s", kMinor),
    rate(kFaultRate, "{fault}/s", kMajor),
    rate(kSwapRate, "{operation}/s", kIn),
    rate(kSwapRate, "{operation}/s", kOut),
    rate(kPagedRate, "By/s", kIn, "", Form::kKibRate),
    rate(kPagedRate, "By/s", kOut, "", Form::kKibRate),
    total(kFault, "{fault}", kMinor),
    total(kFault, "{fault}", kMajor),
    total(kSwap, "{operation}", kIn),
    total(kSwap, "{operation}", kOut),
    total(kPaged, "By", kIn, "", Form::kKib),
    total(kPaged, "By", kOut, "", Form::kKib),
    // 86 to 93: filesystems
    bytes("system.filesystem.usage", Form::kPages, kSpaceUsed),
    share("system.filesystem.utilization", ""),
    Line{"system.filesystem.inodes.usage", kSpaceUsed, "", "{inode}"},
    share("system.filesystem.inodes.utilization", ""),
    bytes("system.filesystem.usage", Form::kPages, kSpaceUsed, kMount),
    share("system.filesystem.utilization", "", kMount),
    Line{"system.filesystem.inodes.usage", kSpaceUsed, kMount, "{inode}"},
    share("system.filesystem.inodes.utilization", "", kMount),
    // 94 to 100: processes
    processes("system.process.count", "process.state=running"),
    processes("system.process.count", "process.state=sleeping"),
    processes("system.process.count", "process.state=blocked"),
    processes("system.process.count", "process.state=stopped"),
    processes("system.process.count", "process.state=defunct"),
    rate("system.process.created.rate", "{process}/s", ""),
    total("system.process.created", "{process}", ""),
    // 101 to 106: a process
    fine_share("process.cpu.utilization", kProcess),
    bytes("process.memory.usage", Form::kPages, "", kProcess),
    rate("process.disk.io.rate", "By/s", kRead, kProcess, Form::kPageRate),
    rate("process.disk.io.rate", "By/s", kWrite, kProcess, Form::kPageRate),
    total("process.disk.io", "By", kRead, kProcess, Form::kPages),
    total("process.disk.io", "By", kWrite, kProcess, Form::kPages),
    // 107 to 116: groups of processes, by pattern and by user
    processes(kGroupCount, "", kGroup),
    fine_share(kGroupCpu, kGroup),
    bytes(kGroupMemory, Form::kPages, "", kGroup),
    rate(kGroupRate, "By/s", kRead, kGroup, Form::kPageRate),
    rate(kGroupRate, "By/s", kWrite, kGroup, Form::kPageRate),
    processes(kGroupCount, "", kOwner),
    fine_share(kGroupCpu, kOwner),
    bytes(kGroupMemory, Form::kPages, "", kOwner),
    rate(kGroupRate, "By/s", kRead, kOwner, Form::kPageRate),
    rate(kGroupRate, "By/s", kWrite, kOwner, Form::kPageRate),
};

constexpr std::array kStandardSets = {StandardSet{0, 8}};

Row make_row(const Line& line) {
  Row row{.form = line.form, .part = line.part, .whole = line.whole};
  row.series = {std::string(line.name), {}, std::string(line.unit), line.kind, true, line.exponent};
  for (const std::string_view label : split(line.labels, ',')) {
    const size_t at = label.find('=');
    if (at != std::string_view::npos) metrics::set_label(row.series.labels, label.substr(0, at), label.substr(at + 1));
  }
  for (const std::string_view slot : split(line.slots, ',')) {
    if (!slot.empty()) row.slots.emplace_back(slot);
  }
  return row;
}

std::vector<Row> make_rows() {
  std::vector<Row> rows;
  rows.reserve(kLines.size());
  for (const Line& line : kLines) rows.push_back(make_row(line));
  return rows;
}

const std::vector<Row>& rows() {
  static const std::vector<Row> all = make_rows();
  return all;
}

// Whether the series is one of the row, whatever the values of its slots are.
bool has_row(const Row& row, const metrics::Series& series) {
  if (row.series.unit != series.unit || row.series.kind != series.kind || !series.integer ||
      row.series.exponent != series.exponent || row.series.labels.size() + row.slots.size() != series.labels.size()) {
    return false;
  }
  size_t fixed = 0;
  size_t slots = 0;
  for (const auto& [key, value] : series.labels) {
    if (fixed < row.series.labels.size() && row.series.labels[fixed].first == key) {
      if (row.series.labels[fixed++].second != value) return false;
    } else if (slots < row.slots.size() && row.slots[slots] == key) {
      ++slots;
    } else {
      return false;
    }
  }
  return true;
}

std::string list_of(const metrics::Labels& labels) {
  std::string text;
  for (const auto& [key, value] : labels) text += fmt::format("{}`{}={}`", text.empty() ? "" : ", ", key, value);
  return text;
}

}  // namespace

std::span<const Row> table() { return rows(); }

std::span<const StandardSet> standard_sets() { return kStandardSets; }

uint32_t row_of(const metrics::Series& series) {
  static const auto by_name = [] {
    std::unordered_map<std::string_view, std::vector<uint32_t>> map;
    for (uint32_t i = 0; i < rows().size(); ++i) map[rows()[i].series.name].push_back(i);
    return map;
  }();
  const auto found = by_name.find(series.name);
  if (found == by_name.end()) return kNoRow;
  for (const uint32_t number : found->second) {
    if (has_row(rows()[number], series)) return number;
  }
  return kNoRow;
}

void slot_values_of(const Row& row, const metrics::Series& series, std::vector<std::string_view>& values) {
  size_t slot = 0;
  for (const auto& [key, value] : series.labels) {
    if (slot == row.slots.size()) return;
    if (row.slots[slot] != key) continue;
    values.emplace_back(value);
    ++slot;
  }
}

metrics::Series series_of(const Row& row, std::span<const std::string> values) {
  metrics::Series series = row.series;
  for (size_t i = 0; i < row.slots.size(); ++i) metrics::set_label(series.labels, row.slots[i], values[i]);
  return series;
}

std::string table_markdown() {
  std::string out =
      "| number | name | labels | slots | unit | kind | exponent | computation |\n|---|---|---|---|---|---|---|---|\n";
  for (uint32_t i = 0; i < rows().size(); ++i) {
    const Row& row = rows()[i];
    std::string slots;
    for (const std::string& slot : row.slots) slots += fmt::format("{}`{}`", slots.empty() ? "" : ", ", slot);
    std::string form = fmt::to_string(static_cast<int>(row.form));
    if (row.form == Form::kShare) form += fmt::format(" ({}, {})", row.part, row.whole);
    out += fmt::format("| {} | `{}` | {} | {} | `{}` | {} | {} | {} |\n", i, row.series.name,
                       list_of(row.series.labels), slots, row.series.unit,
                       row.series.kind == metrics::Kind::kCounter ? "counter" : "gauge", row.series.exponent, form);
  }
  return out;
}

}  // namespace monitor::payload
