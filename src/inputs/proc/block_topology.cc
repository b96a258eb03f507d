#include "inputs/proc/block_topology.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace monitor::agent {

namespace {

// Drivers whose devices keep their data on other devices, in files or in memory.
constexpr std::array<std::string_view, 17> kStackedDrivers = {
    "loop",  "ramdisk",  "md",    "mdp",      "device-mapper", "zram",  "zvol", "drbd",  "bcache",
    "ploop", "ubiblock", "nullb", "emcpower", "power2",        "VxDMP", "VxVM", "rnullb"};
// Drivers whose devices have no parent on a bus but are disks nevertheless: another host stores their data.
constexpr std::array<std::string_view, 6> kNetworkDrivers = {"nbd", "rbd", "aoe", "sheepdog", "scini", "rnbd-client"};

// Used if /proc/devices is missing. From the kernel's Documentation/admin-guide/devices.txt; 230 is the major number of
// ZFS.
const std::map<unsigned, std::string>& fixed_majors() {
  static const std::map<unsigned, std::string> majors = {{1, "ramdisk"}, {7, "loop"},   {8, "sd"},    {9, "md"},
                                                         {43, "nbd"},    {147, "drbd"}, {152, "aoe"}, {230, "zvol"}};
  return majors;
}

template <typename Names>
bool is_one_of(std::string_view text, const Names& names) {
  return std::ranges::find(names, text) != names.end();
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The disk of a partition, by the kernel's naming rule: the partition's number follows the disk's name, after a 'p' if
// that name ends with a digit. Empty if the name cannot be that of a partition.
std::string_view disk_of_partition(std::string_view device) {
  while (!device.empty() && is_digit(device.back())) device.remove_suffix(1);
  if (device.size() >= 2 && device.back() == 'p' && is_digit(device[device.size() - 2])) device.remove_suffix(1);
  return device;
}

// "nvme0c1n2" is a path to the head "nvme0n2".
std::string head_by_name(std::string_view path) {
  const size_t c = path.find('c');
  const size_t n = path.rfind('n');
  if (!path.starts_with("nvme") || c == std::string_view::npos || n < c) return "";
  return std::string(path.substr(0, c)) + std::string(path.substr(n));
}

std::string sysfs_name(std::string_view device) {
  std::string name(device);
  std::ranges::replace(name, '/', '!');
  return name;
}

BlockFacts read_facts(const std::string& folder, std::string driver) {
  BlockFacts facts;
  facts.driver = std::move(driver);
  facts.link = link_target(folder);
  facts.has_slaves = !folder_entries(folder + "/slaves").empty();
  facts.is_mapped = is_folder(folder + "/dm") || is_folder(folder + "/md");
  facts.is_hidden = first_line(folder + "/hidden") == "1";
  if (facts.is_hidden || facts.link.find("/nvme-subsystem/") != std::string::npos) {
    facts.wwid = first_line(folder + "/wwid");
  }
  return facts;
}

}  // namespace

std::map<unsigned, std::string> parse_block_drivers(std::string_view text) {
  std::map<unsigned, std::string> drivers;
  bool block = false;
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    if (line.starts_with("Block devices")) block = true;
    Fields fields(line);
    const auto major = fields.number();
    const std::string_view name = trim(fields.rest());
    if (block && major && *major <= UINT32_MAX && !name.empty()) drivers[static_cast<unsigned>(*major)] = name;
  }
  return drivers;
}

bool lies_on_another(std::string_view device, const BlockFacts& facts) {
  if (facts.has_slaves || facts.is_mapped || is_one_of(facts.driver, kStackedDrivers)) return true;
  if (!facts.link.empty()) {
    return facts.link.find("/virtual/block/") != std::string::npos && !is_one_of(facts.driver, kNetworkDrivers);
  }
  if (!facts.driver.empty() && facts.driver != "blkext") return false;
  // Falls back to the kernel's naming, for a copied tree that contains nothing else about the device.
  constexpr std::array<std::string_view, 8> kPrefixes = {"loop", "ram", "zram", "dm-", "md", "zd", "drbd", "bcache"};
  return std::ranges::any_of(kPrefixes, [&](std::string_view prefix) { return is_numbered(device, prefix); });
}

void BlockTopology::refresh(const std::vector<DiskLine>& lines, uint64_t shape, int64_t mono_ns) {
  if (freshness_.stale(shape, lines.size(), mono_ns)) read_sysfs(lines);
  if (has_paths_) choose_paths(lines);
}

void BlockTopology::read_sysfs(const std::vector<DiskLine>& lines) {
  devices_.clear();
  const auto text = drivers_file_.read();
  auto drivers = text ? parse_block_drivers(*text) : fixed_majors();
  if (drivers.empty()) drivers = fixed_majors();
  std::map<std::string, BlockFacts> all;
  for (const DiskLine& line : lines) {
    // Only whole devices have a folder here.
    const std::string folder = sysfs_ + "/block/" + sysfs_name(line.device);
    if (!is_folder(folder)) continue;
    const auto driver = drivers.find(line.major);
    all[std::string(line.device)] = read_facts(folder, driver == drivers.end() ? "" : driver->second);
  }
  has_paths_ = false;
  if (all.empty()) {
    guess(lines, drivers);
    return;
  }
  for (const auto& [name, facts] : all) devices_[name].counts = !lies_on_another(name, facts);
  find_heads(all);
}

// Used without sysfs, or if sysfs knows none of the devices.
void BlockTopology::guess(const std::vector<DiskLine>& lines, const std::map<unsigned, std::string>& drivers) {
  for (const DiskLine& line : lines) {
    const std::string_view disk = disk_of_partition(line.device);
    const bool is_partition =
        disk != line.device && std::ranges::any_of(lines, [&](const DiskLine& other) { return other.device == disk; });
    const auto driver = drivers.find(line.major);
    BlockFacts facts;
    if (driver != drivers.end()) facts.driver = driver->second;
    devices_[std::string(line.device)].counts = !is_partition && !lies_on_another(line.device, facts);
  }
}

void BlockTopology::find_heads(const std::map<std::string, BlockFacts>& facts) {
  for (const auto& [name, path] : facts) {
    if (!path.is_hidden) continue;
    std::string head = head_by_name(name);
    for (const auto& [other, candidate] : facts) {
      if (!candidate.is_hidden && !path.wwid.empty() && candidate.wwid == path.wwid) head = other;
    }
    if (!facts.contains(head)) continue;
    devices_[name].head = head;
    has_paths_ = true;
  }
}

void BlockTopology::choose_paths(const std::vector<DiskLine>& lines) {
  paths_count_.clear();
  std::unordered_map<std::string, bool> has_counted;
  for (const DiskLine& line : lines) {
    has_counted[std::string(line.device)] = line.read_bytes != 0 || line.written_bytes != 0;
  }
  for (const auto& [name, device] : devices_) {
    if (!device.head.empty() && has_counted[name] && !has_counted[device.head]) paths_count_[device.head] = true;
  }
}

ThroughputCounter::Role BlockTopology::role(std::string_view device) {
  key_.assign(device);
  const auto found = devices_.find(key_);
  if (found == devices_.end() || !found->second.counts) return {};
  bool counts = true;
  if (has_paths_) {
    const bool is_path = !found->second.head.empty();
    counts = is_path == paths_count_.contains(is_path ? found->second.head : key_);
  }
  return {counts, counts};
}

}  // namespace monitor::agent
