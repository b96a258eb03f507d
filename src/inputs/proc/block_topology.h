// BlockTopology: decides from sysfs and /proc/devices which block devices the sum includes, so that every byte counts
// once.
//
// Whole disks with data of their own count. Partitions do not count. Neither do devices whose data is on other devices
// (dm, md, bcache, drbd, ZFS volumes), in files (loop), or in memory (ram, zram). Network block devices (nbd, rbd, aoe)
// count as disks. With native NVMe multipath, the head counts. Some kernels count only on the paths (hidden devices)
// and leave the head at 0; then the paths count. Runs on the agent's loop.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "inputs/proc/kernel_file.h"
#include "inputs/proc/roots.h"
#include "inputs/proc/sysfs.h"
#include "inputs/proc/throughput_counter.h"

namespace monitor::agent {

struct DiskLine {
  unsigned major = 0;
  std::string_view device;
  uint64_t read_bytes = 0;
  uint64_t written_bytes = 0;
};

// Names of block drivers by major number: the second part of /proc/devices.
std::map<unsigned, std::string> parse_block_drivers(std::string_view text);

// What sysfs says about a device with a folder in /sys/block.
struct BlockFacts {
  std::string driver;  // as registered; empty when unknown
  std::string link;    // target of the link /sys/block/X; empty in a copied tree
  bool has_slaves = false;
  bool is_mapped = false;  // it has a folder dm/ or md/
  bool is_hidden = false;  // a path of NVMe multipath
  std::string wwid;        // the same for a namespace's head and all its paths
};
bool lies_on_another(std::string_view device, const BlockFacts& facts);

class BlockTopology {
 public:
  explicit BlockTopology(const Roots& roots) : sysfs_(roots.sysfs), drivers_file_(roots.procfs + "/devices") {}

  // `shape` must change with the set of devices.
  void refresh(const std::vector<DiskLine>& lines, uint64_t shape, int64_t mono_ns);
  // The role of a device of the last refresh().
  ThroughputCounter::Role role(std::string_view device);

 private:
  struct Device {
    bool counts = false;
    std::string head;  // of a path
  };

  void read_sysfs(const std::vector<DiskLine>& lines);
  void guess(const std::vector<DiskLine>& lines, const std::map<unsigned, std::string>& drivers);
  void find_heads(const std::map<std::string, BlockFacts>& facts);
  void choose_paths(const std::vector<DiskLine>& lines);

  std::string sysfs_;
  KernelFile drivers_file_;
  Freshness freshness_;
  std::unordered_map<std::string, Device> devices_;
  bool has_paths_ = false;
  std::unordered_map<std::string, bool> paths_count_;  // by head: whether its paths count in this reading
  std::string key_;                                    // kept to reuse its memory
};

}  // namespace monitor::agent
