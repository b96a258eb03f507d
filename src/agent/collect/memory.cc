#include "agent/collect/memory.h"

#include <algorithm>

namespace monitor::agent {

Result<MemoryInfo> parse_meminfo(std::string_view text) {
  std::optional<uint64_t> total;
  std::optional<uint64_t> available;
  uint64_t estimate = 0;
  MemoryInfo info;
  while (!text.empty()) {
    Fields fields(next_line(text));
    const std::string_view name = fields.next();
    const auto kib = fields.number();
    if (!kib || *kib > UINT64_MAX / 1024) continue;
    const uint64_t bytes = *kib * 1024;
    if (name == "MemTotal:") total = bytes;
    if (name == "MemAvailable:") available = bytes;
    if (name == "MemFree:" || name == "Buffers:" || name == "Cached:") estimate += bytes;
    if (name == "SwapTotal:") info.swap_total = bytes;
    if (name == "SwapFree:") info.swap_free = bytes;
  }
  if (!total || *total == 0) return Error(Code::kInvalidArgument, "/proc/meminfo: no line \"MemTotal:\"");
  info.total = *total;
  info.available = std::min(available.value_or(estimate), info.total);
  info.swap_free = std::min(info.swap_free, info.swap_total);
  return info;
}

void MemoryCollector::configure(const std::vector<config::MetricSelection>& selections) {
  memory_ = false;
  swap_ = false;
  for (const auto& selection : selections) {
    memory_ = memory_ || selection.name == "memory";
    swap_ = swap_ || selection.name == "swap";
  }
}

void MemoryCollector::intern(TickBuilder& out) {
  const metrics::Labels used = {{"system.memory.state", "used"}};
  utilization_ = out.intern(share_series("system.memory.utilization"));
  usage_ = out.intern(bytes_series("system.memory.usage", used));
  limit_ = out.intern(bytes_series("system.memory.limit"));
  const metrics::Labels swap_used = {{"system.paging.state", "used"}};
  swap_usage_ = out.intern(bytes_series("system.paging.usage", swap_used));
  swap_utilization_ = out.intern(share_series("system.paging.utilization", swap_used));
  interned_ = true;
}

Status MemoryCollector::collect(const Moment&, TickBuilder& out) {
  const auto text = file_.read();
  if (!text) return text.error();
  const auto info = parse_meminfo(*text);
  if (!info) return info.error();
  if (!interned_) intern(out);
  if (memory_) {
    const uint64_t used = info->total - info->available;
    out.add_share(utilization_, static_cast<double>(used) / static_cast<double>(info->total));
    out.add_integer(usage_, static_cast<int64_t>(used));
    out.add_integer(limit_, static_cast<int64_t>(info->total));
  }
  if (swap_) {
    const uint64_t used = info->swap_total - info->swap_free;
    out.add_integer(swap_usage_, static_cast<int64_t>(used));
    // A host without swap uses none of it.
    out.add_share(swap_utilization_,
                  info->swap_total == 0 ? 0 : static_cast<double>(used) / static_cast<double>(info->swap_total));
  }
  return {};
}

}  // namespace monitor::agent
