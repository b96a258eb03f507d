// The mount table: /proc/PID/mountinfo (proc_pid_mountinfo(5)), parsed, and reduced to the mounts that a path can
// reach.
//
// MountTable reads the table only if the kernel reports a change, and again if it changed during the read, so that no
// line is missing or doubled. All methods run on the agent's loop; reading a mount table never blocks.
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
  std::string root;    // the mounted part of the filesystem: "/" unless it is a bind mount or a subvolume
  std::string mount_point;
  std::string type;
  std::string source;         // may be empty
  std::string super_options;  // of the superblock: "rw,upperdir=..."

  bool operator==(const Mount&) const = default;
};

// Parses all well-formed lines and resolves octal escapes. Each blank separates two fields, because a source may be
// empty.
std::vector<Mount> parse_mountinfo(std::string_view text);
// Removes mounts that another mount hides, at the same mount point or above. Keeps the order of the table.
std::vector<Mount> visible_mounts(std::vector<Mount> mounts);

// How to reach the mount points of a table, and how to verify that the mount found there is the one in the table.
struct MountOrigin {
  enum class Check : uint8_t {
    kMountId,  // the table is this process's own
    kDevice,   // the table is of another mount namespace, whose mount ids differ
    kNone      // the table is a recording
  };
  std::string rootfs = "/";  // prefix of every mount point
  Check check = Check::kNone;
};

class MountTable {
 public:
  explicit MountTable(Roots roots);

  // Returns true if the table has changed since the last call. Error: the table is unreadable.
  Result<bool> refresh();
  // Makes the next refresh() read the table even if it has not changed.
  void forget() { stale_ = true; }
  const std::vector<Mount>& mounts() const { return mounts_; }  // visible mounts only
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
