#include "agent/collect/disk.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/text.h"

namespace monitor::agent {

namespace {

constexpr uint64_t kSector = 512;  // of diskstats, whatever the device's own

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Without sysfs: sda1, nvme0n1p1 and mmcblk0p1 are partitions by their names.
bool looks_like_partition(std::string_view device) {
  if (device.empty() || !is_digit(device.back())) return false;
  size_t end = device.size();
  while (end > 0 && is_digit(device[end - 1])) --end;
  if (end == 0) return false;
  if (device.starts_with("nvme") || device.starts_with("mmcblk")) {
    return device[end - 1] == 'p' && end >= 2 && is_digit(device[end - 2]);
  }
  return device.starts_with("sd") || device.starts_with("hd") || device.starts_with("vd") || device.starts_with("xvd");
}

bool starts_with_any(std::string_view text, std::initializer_list<std::string_view> prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](std::string_view p) { return text.starts_with(p); });
}

bool folder_has_entries(const std::string& path) {
  DIR* const folder = opendir(path.c_str());
  if (folder == nullptr) return false;
  bool found = false;
  while (const dirent* const entry = readdir(folder)) {  // NOLINT(concurrency-mt-unsafe): a stream of our own
    if (entry->d_name[0] != '.') found = true;
  }
  closedir(folder);
  return found;
}

bool is_folder(const std::string& path) {
  struct stat info{};
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

}  // namespace

Status parse_diskstats(std::string_view text, std::vector<DiskLine>& out) {
  out.clear();
  bool any_line = false;
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    if (trim(line).empty()) continue;
    any_line = true;
    Fields fields(line);
    fields.skip(2);
    DiskLine disk;
    disk.device = fields.next();
    fields.skip(2);
    const auto read_sectors = fields.number();
    fields.skip(3);
    const auto written_sectors = fields.number();
    if (!read_sectors || !written_sectors) continue;
    // The kernel counts sectors in 64 bits (32 on old 32-bit ones): no product of them overflows in practice; where
    // one would, it wraps as a counter does.
    disk.read_bytes = *read_sectors * kSector;
    disk.written_bytes = *written_sectors * kSector;
    out.push_back(disk);
  }
  if (out.empty() && any_line) return Error(Code::kInvalidArgument, "/proc/diskstats: no line can be read");
  return {};
}

bool counts_as_disk(const std::string& sysfs, const std::string& device) {
  if (starts_with_any(device, {"loop", "ram", "zram", "fd"})) return false;
  if (!is_folder(sysfs + "/block")) {
    return !starts_with_any(device, {"dm-", "md"}) && !looks_like_partition(device);
  }
  // Whole devices alone have a folder here; a '/' in a name is written '!'.
  std::string name = device;
  std::replace(name.begin(), name.end(), '/', '!');
  const std::string folder = sysfs + "/block/" + name;
  return is_folder(folder) && !folder_has_entries(folder + "/slaves");
}

void DiskCollector::configure(const std::vector<config::MetricSelection>& selections) {
  std::array<IoRates::Wanted, 2> wanted{};
  for (const auto& selection : selections) {
    if (selection.name == "disk read") wanted[0] = IoRates::wanted_of(selection, selection.per_device);
    if (selection.name == "disk write") wanted[1] = IoRates::wanted_of(selection, selection.per_device);
  }
  rates_.configure(wanted);
}

void DiskCollector::adopt(const Collector& from) { rates_.adopt(static_cast<const DiskCollector&>(from).rates_); }

Status DiskCollector::collect(const Moment& now, TickBuilder& out) {
  const auto text = file_.read();
  if (!text) return text.error();
  if (auto s = parse_diskstats(*text, lines_); !s) return s;
  rates_.begin(now);
  for (const DiskLine& line : lines_) {
    rates_.thing(line.device, {line.read_bytes, line.written_bytes}, out,
                 [this](const std::string& device) { return counts_as_disk(sysfs_, device); });
  }
  rates_.finish(out, [](const std::string&) { return true; });
  return {};
}

}  // namespace monitor::agent
