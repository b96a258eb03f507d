// The mount table: /proc/PID/mountinfo (proc_pid_mountinfo(5)), parsed, and reduced to the mounts that a path can
// reach.
//
// A table of the kernel is read only when the kernel says that it changed, and again when it changed while it was read,
// so that no line is missing or there twice. Everything on the agent's loop; reading a mount table never blocks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/disk.h"
#include "base/result.h"
#include "inputs/collector.h"
#include "inputs/proc/roots.h"

namespace monitor::agent {

struct Mount {
  uint64_t id = 0;
  uint64_t parent = 0;
  std::string device;  // major:minor of the superblock
  std::string root;    // what of the filesystem is mounted: "/" unless it is a bind mount or a subvolume
  std::string mount_point;
  std::string type;
  std::string source;         // may be empty
  std::string super_options;  // of the superblock: "rw,upperdir=..."

  bool operator==(const Mount&) const = default;
};

// All lines that can be read, octal escapes resolved. Fields are split at every single blank: a source may be empty.
std::vector<Mount> parse_mountinfo(std::string_view text);
// Without the mounts that another one covers, at the same mount point or above it; in the order of the table.
std::vector<Mount> visible_mounts(std::vector<Mount> mounts);

// How a mount point of a table is found, and how it is checked that the mount there is the table's.
struct MountOrigin {
  enum class Check : uint8_t {
    kMountId,  // the process's own table
    kDevice,   // another mount namespace's table: mount numbers differ
    kNone      // a recorded table
  };
  std::string rootfs = "/";  // stands before every mount point
  Check check = Check::kNone;
};

class MountTable {
 public:
  explicit MountTable(Roots roots);

  // True when the table changed since the last call. Error: it cannot be read.
  Result<bool> refresh();
  // To be read anew at the next refresh, whatever the kernel says.
  void forget() { stale_ = true; }
  const std::vector<Mount>& mounts() const { return mounts_; }  // the visible ones
  const MountOrigin& origin() const { return origin_; }

 private:
  Status open_table();
  void choose_origin(bool of_init);
  Result<std::string> read_whole() const;
  bool kernel_says_changed() const;

  Roots roots_;
  Fd fd_;
  bool is_kernels_ = false;
  bool stale_ = true;
  bool warned_ = false;
  std::string text_;
  std::vector<Mount> mounts_;
  MountOrigin origin_;
};

}  // namespace monitor::agent
