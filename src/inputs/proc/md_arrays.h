// Parses /proc/mdstat (drivers/md/md.c, md_seq_show): the state of software RAID arrays.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace monitor::agent {

// Views are into the parsed text.
struct MdArray {
  std::string_view name;  // md0, md_home
  bool active = false;    // false: assembled in part, so that nobody can read it
  // Members by their flags. Those that are being rebuilt count as `used`.
  uint64_t used = 0, failed = 0, spare = 0;
  // [4/3]: the disks that the array needs, and those that hold all of its data. Only arrays with redundancy have it.
  std::optional<uint64_t> required, in_sync;
  // What it does with its disks: recovery, resync, check, reshape; empty if nothing. A job that waits has done nothing.
  std::string_view action;
  uint64_t done = 0, total = 0;  // blocks
};

// The arrays in the order of the text. Lines that are none are passed over, and so is a second array of a name.
// At most kMostMdArrays.
inline constexpr size_t kMostMdArrays = 1'024;
std::vector<MdArray> parse_mdstat(std::string_view text);

// Changes when arrays come or go.
uint64_t mdstat_shape(std::string_view text);

}  // namespace monitor::agent
