#include "plugins/hosted/usage_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "base/time_format.h"

namespace monitor::agent {

std::optional<HostUsage> parse_host_usage(std::string_view stat, int64_t ticks_per_second, uint64_t page_bytes) {
  // The name is in parentheses, and may contain any byte.
  const size_t name_end = stat.rfind(')');
  if (name_end == std::string_view::npos || ticks_per_second <= 0) return std::nullopt;
  const auto fields = split(trim(stat.substr(name_end + 1)), ' ');
  // Offsets in the rest of the line, which starts with field 3.
  constexpr std::array<size_t, 4> kWanted = {14 - 3, 15 - 3, 20 - 3, 24 - 3};
  std::array<uint64_t, 4> found{};
  for (size_t i = 0; i < kWanted.size(); ++i) {
    if (kWanted.at(i) >= fields.size()) return std::nullopt;
    const auto number = parse_u64(fields[kWanted.at(i)]);
    if (!number || *number > uint64_t{1} << 52) return std::nullopt;
    found.at(i) = *number;
  }
  HostUsage usage;
  const double seconds = static_cast<double>(found[0] + found[1]) / static_cast<double>(ticks_per_second);
  usage.cpu_ns = static_cast<int64_t>(seconds * static_cast<double>(kNanosPerSecond));
  usage.threads = found[2];
  usage.memory = found[3] * page_bytes;
  return usage;
}

std::string UsageWatch::take(int64_t now_ns, const HostUsage& usage) {
  last_ = usage;
  readings_.push_back({now_ns, usage.cpu_ns});
  // Keeps one reading that is as old as the window, so that the average covers the whole window.
  while (readings_.size() > 2 && now_ns - readings_[1].at_ns >= kWindow) readings_.pop_front();
  const Reading& first = readings_.front();
  const int64_t span = now_ns - first.at_ns;
  cpu_ =
      span > 0 ? static_cast<double>(std::max<int64_t>(0, usage.cpu_ns - first.cpu_ns)) / static_cast<double>(span) : 0;
  if (threads() > most_threads_) {
    return fmt::format("threads: it has {}, its limit is {}", threads(), most_threads_);
  }
  if (span >= kWindow && cpu_ > most_cpu_) {
    return fmt::format("cpu: it used {:.2f} processors over {}, its limit is {:.2f}", cpu_,
                       format_duration(span / kNanosPerSecond * kNanosPerSecond), most_cpu_);
  }
  return "";
}

void UsageWatch::reset() {
  readings_.clear();
  last_ = {};
  cpu_ = 0;
}

}  // namespace monitor::agent
