#include "inputs/proc/cgroup_memory.h"

#include <sys/stat.h>

#include <algorithm>

#include "base/text.h"

namespace monitor::agent {

namespace {

// Without a limit, v1 prints the largest multiple of a page that fits into an int64.
constexpr uint64_t kNoLimit = uint64_t{1} << 62;

bool is_folder(const std::string& path) {
  struct stat info{};
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

uint64_t inactive_file(std::string_view stat, bool v2) {
  while (!stat.empty()) {
    Fields fields(next_line(stat));
    // In v1, names without "total_" exclude the descendants.
    if (fields.next() == (v2 ? "inactive_file" : "total_inactive_file")) return fields.number().value_or(0);
  }
  return 0;
}

}  // namespace

std::optional<CgroupPath> parse_cgroup(std::string_view text) {
  std::optional<CgroupPath> unified;
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    const size_t first = line.find(':');
    const size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos || line.substr(second + 1, 1) != "/") continue;
    const auto controllers = split(line.substr(first + 1, second - first - 1), ',');
    const std::string path(line.substr(second + 1));
    if (std::ranges::find(controllers, "memory") != controllers.end()) return CgroupPath{false, path};
    if (line.starts_with("0::")) unified = CgroupPath{true, path};
  }
  return unified;
}

std::optional<uint64_t> parse_cgroup_limit(std::string_view text) {
  const auto value = parse_u64(trim(text));
  return value && *value < kNoLimit ? value : std::nullopt;
}

CgroupMemory::CgroupMemory(const Roots& roots)
    : mount_(roots.sysfs + "/fs/cgroup"), self_(roots.procfs + "/self/cgroup") {}

void CgroupMemory::find_groups() {
  const auto text = self_.read();
  auto path = text ? parse_cgroup(*text) : std::nullopt;
  if (path == path_) return;
  path_ = std::move(path);
  groups_.clear();
  if (!path_) return;
  const std::string base = mount_ + (path_->v2 ? "" : "/memory");
  // A container without its own cgroup namespace sees its path on the host, but finds its own group at the mount point.
  std::string below = is_folder(base + path_->path) ? path_->path : "";
  while (below.ends_with('/')) below.pop_back();
  while (true) {
    const std::string folder = base + below + "/memory.";
    const bool v2 = path_->v2;
    groups_.push_back({KernelFile(folder + (v2 ? "max" : "limit_in_bytes")),
                       KernelFile(folder + (v2 ? "current" : "usage_in_bytes")), KernelFile(folder + "stat"),
                       KernelFile(folder + (v2 ? "swap.max" : "memsw.limit_in_bytes")),
                       KernelFile(folder + (v2 ? "swap.current" : "memsw.usage_in_bytes"))});
    if (below.empty()) return;
    below.resize(below.rfind('/'));
  }
}

std::optional<uint64_t> CgroupMemory::number(KernelFile& file) {
  const auto text = file.read();
  return text ? parse_cgroup_limit(*text) : std::nullopt;
}

std::optional<CgroupUsage> CgroupMemory::memory(uint64_t at_most) {
  find_groups();
  Group* lowest = nullptr;
  CgroupUsage result;
  for (Group& group : groups_) {
    const auto limit = number(group.limit);
    if (!limit || *limit >= at_most) continue;
    at_most = *limit;
    lowest = &group;
  }
  if (lowest == nullptr) return std::nullopt;
  const auto usage = number(lowest->usage);
  const auto stat = lowest->stat.read();
  if (!usage || !stat) return std::nullopt;
  result.limit = at_most;
  result.usage = *usage;
  result.working_set = *usage - std::min(*usage, inactive_file(*stat, path_->v2));
  return result;
}

// v1 limits and counts memory and swap together.
std::optional<uint64_t> CgroupMemory::swap_limit(Group& group) const {
  const auto limit = number(group.swap_limit);
  if (!limit || path_->v2) return limit;
  const auto memory = number(group.limit);
  if (!memory) return std::nullopt;
  return *limit - std::min(*limit, *memory);
}

std::optional<uint64_t> CgroupMemory::swap_usage(Group& group) const {
  const auto usage = number(group.swap_usage);
  if (!usage || path_->v2) return usage;
  const auto memory = number(group.usage);
  if (!memory) return std::nullopt;
  return *usage - std::min(*usage, *memory);
}

std::optional<CgroupUsage> CgroupMemory::swap(uint64_t at_most) {
  find_groups();
  Group* lowest = nullptr;
  for (Group& group : groups_) {
    const auto limit = swap_limit(group);
    if (!limit || *limit >= at_most) continue;
    at_most = *limit;
    lowest = &group;
  }
  if (lowest == nullptr) return std::nullopt;
  const auto usage = swap_usage(*lowest);
  if (!usage) return std::nullopt;
  return CgroupUsage{at_most, *usage, *usage};
}

}  // namespace monitor::agent
