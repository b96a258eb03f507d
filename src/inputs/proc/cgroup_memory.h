// Memory of this process's control group, if the group or an ancestor has a limit. The limits are memory.max in cgroup
// v2 (the kernel's Documentation/admin-guide/cgroup-v2.rst) and memory.limit_in_bytes in v1
// (admin-guide/cgroup-v1/memory.rst). Runs on the agent's loop.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "inputs/proc/kernel_file.h"
#include "inputs/proc/roots.h"

namespace monitor::agent {

// Figures of the group with the lowest limit, in bytes.
struct CgroupUsage {
  uint64_t limit = 0;
  uint64_t usage = 0;        // includes page cache
  uint64_t working_set = 0;  // usage - inactive_file (page cache that was not used recently), as in cAdvisor
};

// The control group of a process, from /proc/self/cgroup. Nothing if no hierarchy has the memory controller.
struct CgroupPath {
  bool v2 = false;
  std::string path;  // below the mount point, "/" or "/a/b"

  bool operator==(const CgroupPath&) const = default;
};
std::optional<CgroupPath> parse_cgroup(std::string_view text);
// Nothing for "max", and for the number that v1 prints if there is no limit.
std::optional<uint64_t> parse_cgroup_limit(std::string_view text);

class CgroupMemory {
 public:
  explicit CgroupMemory(const Roots& roots);

  // Nothing if no limit below `at_most` applies. Reads the limits of all groups each time, because they can change.
  std::optional<CgroupUsage> memory(uint64_t at_most);
  // The same for swap; the working set then equals the usage.
  std::optional<CgroupUsage> swap(uint64_t at_most);

 private:
  struct Group {
    KernelFile limit;
    KernelFile usage;
    KernelFile stat;
    KernelFile swap_limit;
    KernelFile swap_usage;
  };

  // Looks the groups up again if the process has moved to another group.
  void find_groups();
  static std::optional<uint64_t> number(KernelFile& file);
  std::optional<uint64_t> swap_limit(Group& group) const;
  std::optional<uint64_t> swap_usage(Group& group) const;

  std::string mount_;
  KernelFile self_;
  std::optional<CgroupPath> path_;
  std::vector<Group> groups_;  // the process's own group first, then its ancestors
};

}  // namespace monitor::agent
