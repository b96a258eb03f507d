#include "inputs/proc/disk.h"

#include "base/text.h"
#include "inputs/proc/collectors.h"

namespace monitor::agent {

namespace {

constexpr uint64_t kSector = 512;  // the unit of diskstats, independent of the device

}  // namespace

Status parse_diskstats(std::string_view text, std::vector<DiskLine>& out) {
  out.clear();
  bool any_line = false;
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    if (trim(line).empty()) continue;
    any_line = true;
    Fields fields(line);
    DiskLine disk;
    disk.major = static_cast<unsigned>(fields.number().value_or(0));
    fields.skip(1);
    disk.device = fields.next();
    fields.skip(2);
    const auto read_sectors = fields.number();
    fields.skip(3);
    const auto written_sectors = fields.number();
    if (!read_sectors || !written_sectors) continue;
    // Rejects 8 EiB and more, which no device has ever transferred.
    if (*read_sectors > INT64_MAX / kSector || *written_sectors > INT64_MAX / kSector) continue;
    disk.read_bytes = *read_sectors * kSector;
    disk.written_bytes = *written_sectors * kSector;
    out.push_back(disk);
  }
  if (out.empty() && any_line) return Error(Code::kInvalidArgument, "/proc/diskstats: no line can be read");
  return {};
}

uint64_t diskstats_shape(std::string_view text) {
  uint64_t hash = 0;
  while (!text.empty()) {
    Fields fields(next_line(text));
    for (int column = 0; column < 3; ++column) hash = hash * 31 + std::hash<std::string_view>{}(fields.next());
  }
  return hash;
}

void DiskCollector::configure(const std::vector<config::MetricSelection>& selections) {
  std::array<ThroughputCounter::Wanted, 2> wanted{};
  for (const auto& selection : selections) {
    if (selection.name == "disk read") wanted[0] = ThroughputCounter::wanted_of(selection, selection.has("per_device"));
    if (selection.name == "disk write")
      wanted[1] = ThroughputCounter::wanted_of(selection, selection.has("per_device"));
  }
  throughput_.configure(wanted);
}

void DiskCollector::adopt(const Collector& from) {
  throughput_.adopt(static_cast<const DiskCollector&>(from).throughput_);
}

Status DiskCollector::collect(const Timestamp& now, TickBuilder& out) {
  const auto text = file_.read_table(diskstats_shape);
  if (!text) return text.error();
  if (auto s = parse_diskstats(*text, lines_); !s) return s;
  topology_.refresh(lines_, file_.shape(), now.mono_ns);
  throughput_.begin(now);
  for (const DiskLine& line : lines_) {
    throughput_.device(line.device, {line.read_bytes, line.written_bytes}, topology_.role(line.device), out);
  }
  throughput_.finish(out);
  return {};
}

std::unique_ptr<Collector> make_disk(const CollectorContext& context) {
  return std::make_unique<DiskCollector>(context.roots);
}

}  // namespace monitor::agent
