// Memory of the control group that this process is in, where that or a group above it has a limit: memory.max of
// cgroup v2 (the kernel's Documentation/admin-guide/cgroup-v2.rst), memory.limit_in_bytes of v1
// (admin-guide/cgroup-v1/memory.rst). On the agent's loop.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "inputs/proc/kernel_file.h"
#include "inputs/proc/roots.h"

namespace monitor::agent {

// Of the group that has the lowest limit, in bytes.
struct CgroupUsage {
  uint64_t limit = 0;
  uint64_t usage = 0;  // page cache included
  uint64_t working_set =
      0;  // usage without the page cache that was not used lately (inactive_file), as cAdvisor has it
};

// Where a process is, by /proc/self/cgroup; nothing when the memory controller is in none.
struct CgroupPath {
  bool v2 = false;
  std::string path;  // below the mount point, "/" or "/a/b"

  bool operator==(const CgroupPath&) const = default;
};
std::optional<CgroupPath> parse_cgroup(std::string_view text);
// "max", and what v1 prints for no limit, are none.
std::optional<uint64_t> parse_cgroup_limit(std::string_view text);

class CgroupMemory {
 public:
  explicit CgroupMemory(const Roots& roots);

  // Nothing where no limit below `at_most` holds. Reads the limits of all groups: they may change at any time.
  std::optional<CgroupUsage> memory(uint64_t at_most);
  // Of swap; the working set is the usage.
  std::optional<CgroupUsage> swap(uint64_t at_most);

 private:
  struct Group {
    KernelFile limit;
    KernelFile usage;
    KernelFile stat;
    KernelFile swap_limit;
    KernelFile swap_usage;
  };

  // Follows the process when it is moved.
  void find_groups();
  static std::optional<uint64_t> number(KernelFile& file);
  std::optional<uint64_t> swap_limit(Group& group) const;
  std::optional<uint64_t> swap_usage(Group& group) const;

  std::string mount_;
  KernelFile self_;
  std::optional<CgroupPath> path_;
  std::vector<Group> groups_;  // its own first, then those above it
};

}  // namespace monitor::agent
