// What a control group has used, from the files of cgroup v2 (the kernel's Documentation/admin-guide/cgroup-v2.rst), or
// of v1 (admin-guide/cgroup-v1/) where no v2 controller is. A missing file leaves its figures empty.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "inputs/proc/pressure.h"

namespace monitor::agent {

struct CgroupFigures {
  std::optional<uint64_t> cpu_ns;
  // Of the bandwidth limit's periods; v1 and v2 count them from the group's creation.
  std::optional<uint64_t> periods;
  std::optional<uint64_t> throttled_periods;
  std::optional<uint64_t> throttled_ns;
  // CPU time in microseconds that the group may use in each period; nothing without a limit.
  std::optional<std::pair<uint64_t, uint64_t>> cpu_limit;
  // Bytes.
  std::optional<uint64_t> memory;
  std::optional<uint64_t> inactive_file;
  std::optional<uint64_t> memory_limit;
  std::optional<uint64_t> swap;
  std::optional<uint64_t> oom_kills;
  std::array<std::optional<uint64_t>, 2> io;  // bytes read and written
  std::optional<uint64_t> threads;
  std::optional<uint64_t> thread_limit;
  std::array<PressureTotals, 3> pressure;  // cpu, memory, io
};

// The value of a line "name 123" or "name=123"; nothing if there is none.
std::optional<uint64_t> cgroup_field(std::string_view text, std::string_view name);
// The limit of cpu.max: "50000 100000".
std::optional<std::pair<uint64_t, uint64_t>> parse_cpu_max(std::string_view text);
// Bytes read and written of io.stat (v2), and of blkio.throttle.io_service_bytes (v1), over the devices that `counts`
// accepts, given as "8:0".
using CountsDevice = std::function<bool(std::string_view device)>;
std::array<uint64_t, 2> parse_io_stat(std::string_view text, const CountsDevice& counts);
std::array<uint64_t, 2> parse_blkio(std::string_view text, const CountsDevice& counts);

// Reads the files of groups. Keeps no file open: each of the thousands would hold a descriptor and kernel memory. Runs
// on the agent's loop.
class CgroupReader {
 public:
  explicit CgroupReader(std::string sysfs);

  // Whether the hierarchies are those of v1. Asked anew before each reading of all groups.
  bool find_version();
  bool v2() const { return v2_; }
  // The folder below which the groups are. Empty: there is no hierarchy.
  const std::string& root() const { return root_; }

  CgroupFigures read(const std::string& group, bool with_pressure);

 private:
  // The whole file in the hierarchy of `controller`, which v2 ignores; the view is valid until the next call.
  std::optional<std::string_view> text(std::string_view controller, const std::string& group, std::string_view file);
  std::optional<uint64_t> number(std::string_view controller, const std::string& group, std::string_view file);
  void read_v2(const std::string& group, CgroupFigures& out);
  void read_v1(const std::string& group, CgroupFigures& out);
  // Whether no other block device below a device counts the same bytes.
  bool counts(std::string_view device);

  std::string sysfs_;
  std::string mount_;
  std::string root_;
  bool v2_ = false;
  std::string path_;
  std::string buffer_;
  std::map<std::string, bool, std::less<>> devices_;
};

}  // namespace monitor::agent
