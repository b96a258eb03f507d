#include "inputs/proc/cgroup_figures.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/disk.h"
#include "base/saturating.h"
#include "base/text.h"
#include "inputs/proc/cgroup_memory.h"
#include "inputs/proc/kernel_file.h"
#include "inputs/proc/sysfs.h"

namespace monitor::agent {

namespace {

constexpr size_t kPage = 4096;
constexpr size_t kMostBytes = size_t{1} << 20;  // io.stat of a host with 10,000 disks
constexpr uint64_t kNanosPerMicro = 1000;
constexpr size_t kMostDevices = 10'000;

uint64_t times(uint64_t a, uint64_t b) { return b != 0 && a > INT64_MAX / b ? INT64_MAX : a * b; }

std::optional<uint64_t> nanos(std::optional<uint64_t> micros) {
  return micros ? std::optional(times(*micros, kNanosPerMicro)) : std::nullopt;
}

}  // namespace

std::optional<uint64_t> cgroup_field(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    Fields fields(next_line(text));
    if (fields.next() == name) return fields.number();
  }
  return std::nullopt;
}

std::optional<std::pair<uint64_t, uint64_t>> parse_cpu_max(std::string_view text) {
  Fields fields(trim(text));
  const auto quota = fields.number();
  const auto period = fields.number();
  if (!quota || !period || *period == 0) return std::nullopt;
  return std::pair(*quota, *period);
}

std::array<uint64_t, 2> parse_io_stat(std::string_view text, const CountsDevice& counts) {
  std::array<uint64_t, 2> sum{};
  while (!text.empty()) {
    Fields fields(next_line(text));
    if (const std::string_view device = fields.next(); device.empty() || !counts(device)) continue;
    for (std::string_view field = fields.next(); !field.empty(); field = fields.next()) {
      if (field.starts_with("rbytes=")) sum[0] = saturating_add(sum[0], parse_u64(field.substr(7)).value_or(0));
      if (field.starts_with("wbytes=")) sum[1] = saturating_add(sum[1], parse_u64(field.substr(7)).value_or(0));
    }
  }
  return sum;
}

std::array<uint64_t, 2> parse_blkio(std::string_view text, const CountsDevice& counts) {
  std::array<uint64_t, 2> sum{};
  while (!text.empty()) {
    Fields fields(next_line(text));
    const std::string_view device = fields.next();
    const std::string_view kind = fields.next();
    const uint64_t bytes = fields.number().value_or(0);
    if (device.find(':') == std::string_view::npos || !counts(device)) continue;
    if (kind == "Read") sum[0] = saturating_add(sum[0], bytes);
    if (kind == "Write") sum[1] = saturating_add(sum[1], bytes);
  }
  return sum;
}

CgroupReader::CgroupReader(std::string sysfs) : sysfs_(std::move(sysfs)), mount_(sysfs_ + "/fs/cgroup") {}

bool CgroupReader::find_version() {
  v2_ = access((mount_ + "/cgroup.controllers").c_str(), F_OK) == 0;
  root_.clear();
  devices_.clear();
  if (v2_) {
    root_ = mount_;
    return true;
  }
  for (const std::string_view controller : {"/memory", "/cpu", "/cpu,cpuacct", "/pids", "/blkio"}) {
    if (root_.empty() && is_folder(mount_ + std::string(controller))) root_ = mount_ + std::string(controller);
  }
  return !root_.empty();
}

std::optional<std::string_view> CgroupReader::text(std::string_view controller, const std::string& group,
                                                   std::string_view file) {
  path_.assign(mount_);
  if (!v2_) path_.append("/").append(controller);
  path_.append(group).append("/").append(file);
  const Fd fd(open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return std::nullopt;
  size_t size = 0;
  while (size <= kMostBytes) {
    if (buffer_.size() - size < kPage) buffer_.resize(std::max(2 * buffer_.size(), kPage));
    const ssize_t n = ::read(fd.get(), buffer_.data() + size, buffer_.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::nullopt;
    if (n == 0) return std::string_view(buffer_).substr(0, size);
    size += static_cast<size_t>(n);
  }
  return std::nullopt;
}

std::optional<uint64_t> CgroupReader::number(std::string_view controller, const std::string& group,
                                             std::string_view file) {
  const auto found = text(controller, group, file);
  return found ? parse_cgroup_limit(*found) : std::nullopt;
}

// io.stat counts a byte at each device of a stack. Those on top of others (dm, md), loop devices and memory are left
// out.
bool CgroupReader::counts(std::string_view device) {
  if (const auto known = devices_.find(device); known != devices_.end()) return known->second;
  const std::string folder = sysfs_ + "/dev/block/" + std::string(device);
  const bool in_memory_or_file = device.starts_with("1:") || device.starts_with("7:");
  const bool lowest = !in_memory_or_file && folder_entries(folder + "/slaves").empty();
  if (devices_.size() < kMostDevices) devices_.emplace(device, lowest);
  return lowest;
}

CgroupFigures CgroupReader::read(const std::string& group, bool with_pressure) {
  CgroupFigures out;
  if (!v2_) {
    read_v1(group, out);
    return out;
  }
  read_v2(group, out);
  constexpr std::array<std::string_view, 3> kFiles = {"cpu.pressure", "memory.pressure", "io.pressure"};
  for (size_t i = 0; with_pressure && i < kFiles.size(); ++i) {
    const auto found = text("", group, kFiles[i]);
    const auto totals = found ? parse_pressure(*found) : Result<PressureTotals>(Error(Code::kNotFound, ""));
    if (totals) out.pressure[i] = *totals;
  }
  return out;
}

void CgroupReader::read_v2(const std::string& group, CgroupFigures& out) {
  if (const auto stat = text("", group, "cpu.stat")) {
    out.cpu_ns = nanos(cgroup_field(*stat, "usage_usec"));
    out.periods = cgroup_field(*stat, "nr_periods");
    out.throttled_periods = cgroup_field(*stat, "nr_throttled");
    out.throttled_ns = nanos(cgroup_field(*stat, "throttled_usec"));
  }
  if (const auto limit = text("", group, "cpu.max")) out.cpu_limit = parse_cpu_max(*limit);
  out.memory = number("", group, "memory.current");
  out.memory_limit = number("", group, "memory.max");
  out.swap = number("", group, "memory.swap.current");
  if (const auto stat = text("", group, "memory.stat")) out.inactive_file = cgroup_field(*stat, "inactive_file");
  if (const auto events = text("", group, "memory.events")) out.oom_kills = cgroup_field(*events, "oom_kill");
  if (const auto stat = text("", group, "io.stat")) {
    const auto bytes = parse_io_stat(*stat, [this](std::string_view device) { return counts(device); });
    for (size_t i = 0; i < bytes.size(); ++i) out.io[i] = bytes[i];
  }
  out.threads = number("", group, "pids.current");
  out.thread_limit = number("", group, "pids.max");
}

void CgroupReader::read_v1(const std::string& group, CgroupFigures& out) {
  out.cpu_ns = number("cpuacct", group, "cpuacct.usage");
  if (const auto stat = text("cpu", group, "cpu.stat")) {
    out.periods = cgroup_field(*stat, "nr_periods");
    out.throttled_periods = cgroup_field(*stat, "nr_throttled");
    out.throttled_ns = cgroup_field(*stat, "throttled_time");
  }
  // Without a limit, the quota is -1.
  const auto quota = number("cpu", group, "cpu.cfs_quota_us");
  const auto period = number("cpu", group, "cpu.cfs_period_us");
  if (quota && period && *period > 0) out.cpu_limit = std::pair(*quota, *period);
  out.memory = number("memory", group, "memory.usage_in_bytes");
  out.memory_limit = number("memory", group, "memory.limit_in_bytes");
  if (const auto both = number("memory", group, "memory.memsw.usage_in_bytes"); both && out.memory) {
    out.swap = *both - std::min(*both, *out.memory);
  }
  if (const auto stat = text("memory", group, "memory.stat")) {
    out.inactive_file = cgroup_field(*stat, "total_inactive_file");
  }
  if (const auto events = text("memory", group, "memory.oom_control")) {
    out.oom_kills = cgroup_field(*events, "oom_kill");
  }
  auto bytes = text("blkio", group, "blkio.throttle.io_service_bytes_recursive");
  if (!bytes) bytes = text("blkio", group, "blkio.throttle.io_service_bytes");
  if (bytes) {
    const auto sum = parse_blkio(*bytes, [this](std::string_view device) { return counts(device); });
    for (size_t i = 0; i < sum.size(); ++i) out.io[i] = sum[i];
  }
  out.threads = number("pids", group, "pids.current");
  out.thread_limit = number("pids", group, "pids.max");
}

}  // namespace monitor::agent
