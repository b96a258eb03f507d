#include "inputs/proc/memory.h"

#include <linux/magic.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>

#include "inputs/proc/collectors.h"

namespace monitor::agent {

namespace {

#ifndef FUSE_SUPER_MAGIC
constexpr long FUSE_SUPER_MAGIC = 0x65735546;
#endif

enum Line { kTotal, kFree, kAvailable, kBuffers, kCached, kReclaimable, kShmem, kSwapTotal, kSwapFree, kLines };
constexpr std::array<std::string_view, kLines> kLineNames = {
    "MemTotal:",     "MemFree:", "MemAvailable:", "Buffers:", "Cached:",
    "SReclaimable:", "Shmem:",   "SwapTotal:",    "SwapFree:"};
using Lines = std::array<std::optional<uint64_t>, kLines>;

Lines meminfo_lines(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    Fields fields(next_line(text));
    const auto* const name = std::ranges::find(kLineNames, fields.next());
    if (name == kLineNames.end()) continue;
    const auto kib = fields.number();
    // Bounds each value, so that sums cannot overflow.
    if (kib && *kib < (uint64_t{1} << 50)) lines[static_cast<size_t>(name - kLineNames.begin())] = *kib * 1024;
  }
  return lines;
}

std::optional<uint64_t> available_memory(const Lines& lines) {
  const uint64_t total = *lines[kTotal];
  if (lines[kAvailable].value_or(0) > total) return lines[kFree] ? lines[kFree] : total;
  if (lines[kAvailable].value_or(0) > 0) return lines[kAvailable];
  if (!lines[kFree]) return lines[kAvailable];
  const uint64_t cache = lines[kBuffers].value_or(0) + lines[kCached].value_or(0) + lines[kReclaimable].value_or(0);
  return *lines[kFree] + cache - std::min(cache, lines[kShmem].value_or(0));
}

// False if lxcfs or a similar FUSE filesystem replaces the file in a container. The ARC is the host's even then.
bool is_the_kernels(const std::string& path) {
  struct statfs info{};
  return statfs(path.c_str(), &info) != 0 || info.f_type != FUSE_SUPER_MAGIC;
}

}  // namespace

Result<MemoryInfo> parse_meminfo(std::string_view text) {
  const Lines lines = meminfo_lines(text);
  if (lines[kTotal].value_or(0) == 0) return Error(Code::kInvalidArgument, "/proc/meminfo: no line \"MemTotal:\"");
  const auto available = available_memory(lines);
  if (!available) {
    return Error(Code::kInvalidArgument, "/proc/meminfo: neither a line \"MemAvailable:\" nor \"MemFree:\"");
  }
  MemoryInfo info;
  info.total = *lines[kTotal];
  info.available = std::min(*available, info.total);
  info.swap_total = lines[kSwapTotal];
  info.swap_free = lines[kSwapFree];
  return info;
}

std::optional<ArcInfo> parse_arcstats(std::string_view text) {
  std::optional<uint64_t> size;
  std::optional<uint64_t> least;
  while (!text.empty()) {
    // A line has a name, the type of the value, and the value.
    Fields fields(next_line(text));
    const std::string_view name = fields.next();
    if (name != "size" && name != "c_min") continue;
    fields.skip(1);
    (name == "size" ? size : least) = fields.number();
  }
  if (!size || !least) return std::nullopt;
  return ArcInfo{*size, *least};
}

void MemoryCollector::configure(const std::vector<config::MetricSelection>& selections) {
  memory_ = find_selection(selections, "memory") != nullptr;
  swap_ = find_selection(selections, "swap") != nullptr;
}

void MemoryCollector::forget_series() {
  interned_ = false;
  for (Lazy* const one : {&arc_size_, &arc_reclaimable_, &group_usage_, &group_working_set_, &group_limit_,
                          &group_utilization_, &group_swap_usage_, &group_swap_limit_}) {
    one->interned = false;
  }
}

void MemoryCollector::intern(TickBuilder& out) {
  const metrics::Labels used = {{"system.memory.state", "used"}};
  utilization_ = out.intern("system.memory.utilization");
  usage_ = out.intern("system.memory.usage", used);
  limit_ = out.intern("system.memory.limit");
  const metrics::Labels swap_used = {{"system.paging.state", "used"}};
  swap_usage_ = out.intern("system.paging.usage", swap_used);
  swap_utilization_ = out.intern("system.paging.utilization", swap_used);
  interned_ = true;
}

void MemoryCollector::add_bytes(Lazy& series, std::string_view name, uint64_t value, TickBuilder& out) {
  if (!series.interned) series = {out.intern(name), true};
  out.add_integer(series.id, static_cast<int64_t>(value));
}

std::optional<ArcInfo> MemoryCollector::arc() {
  const auto text = arc_file_.read();
  if (!text || !is_the_kernels(file_.path())) return std::nullopt;
  return parse_arcstats(*text);
}

void MemoryCollector::add_memory(MemoryInfo info, TickBuilder& out) {
  const auto cache = arc();
  // An ARC larger than the used memory cannot be part of it: it is the host's, seen from a container.
  if (cache && cache->size <= info.total - info.available) {
    info.available += cache->reclaimable();
    add_bytes(arc_size_, "system.memory.zfs.arc.usage", cache->size, out);
    add_bytes(arc_reclaimable_, "system.memory.zfs.arc.reclaimable", cache->reclaimable(), out);
  }
  const uint64_t used = info.total - info.available;
  out.add_share(utilization_, used, info.total);
  out.add_integer(usage_, static_cast<int64_t>(used));
  out.add_integer(limit_, static_cast<int64_t>(info.total));
  const auto group = cgroup_.memory(info.total);
  if (!group) return;
  add_bytes(group_usage_, "container.memory.usage", group->usage, out);
  add_bytes(group_working_set_, "container.memory.working_set", group->working_set, out);
  add_bytes(group_limit_, "container.memory.limit", group->limit, out);
  if (!group_utilization_.interned) group_utilization_ = {out.intern("container.memory.utilization"), true};
  out.add_share(group_utilization_.id, group->working_set, group->limit);
}

void MemoryCollector::add_swap(const MemoryInfo& info, TickBuilder& out) {
  if (info.swap_total && info.swap_free) {
    const uint64_t used = *info.swap_total - std::min(*info.swap_free, *info.swap_total);
    out.add_integer(swap_usage_, static_cast<int64_t>(used));
    // The share is 0 on a host without swap.
    out.add_share(swap_utilization_, used, *info.swap_total);
  }
  const auto group = cgroup_.swap(info.swap_total.value_or(UINT64_MAX));
  if (!group) return;
  add_bytes(group_swap_usage_, "container.paging.usage", group->usage, out);
  add_bytes(group_swap_limit_, "container.paging.limit", group->limit, out);
}

Status MemoryCollector::collect(const Timestamp&, TickBuilder& out) {
  const auto text = file_.read();
  if (!text) return text.error();
  const auto info = parse_meminfo(*text);
  if (!info) return info.error();
  if (!interned_) intern(out);
  if (memory_) add_memory(*info, out);
  if (swap_) add_swap(*info, out);
  return {};
}

std::unique_ptr<Collector> make_memory(const CollectorContext& context) {
  return std::make_unique<MemoryCollector>(context.roots);
}

}  // namespace monitor::agent
