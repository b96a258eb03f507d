#include "inputs/proc/process_groups.h"

#include <algorithm>
#include <utility>

#include "base/saturating.h"
#include "base/text.h"

namespace monitor::agent {

namespace {

int64_t to_value(uint64_t number) { return static_cast<int64_t>(std::min<uint64_t>(number, INT64_MAX)); }

}  // namespace

void ProcessGroups::Group::clear() {
  processes = cpu_growth = rss_pages = io_known = 0;
  io_growth = {};
  io_refused = false;
}

void ProcessGroups::Group::take(const Process& process) {
  ++processes;
  if (process.cpu_growth_known) add_saturating(cpu_growth, process.cpu_growth);
  add_saturating(rss_pages, process.rss_pages);
  io_refused = io_refused || process.io_refused;
  if (process.io_known) ++io_known;
  if (!process.io_growth_known) return;
  for (size_t i = 0; i < io_growth.size(); ++i) add_saturating(io_growth[i], process.io_growth[i]);
}

void ProcessGroups::configure(const std::vector<std::string>& patterns, bool per_user) {
  const bool same = std::ranges::equal(patterns, by_pattern_, {}, {}, &std::pair<std::string, Group>::first);
  if (!same) {
    by_pattern_.clear();
    for (const std::string& pattern : patterns) by_pattern_.emplace_back(pattern, Group());
  }
  per_user_ = per_user;
  if (!per_user) by_user_.clear();
}

void ProcessGroups::forget_series() {
  const auto forget = [](Group& group) {
    group.count = group.cpu = group.memory = kNoSeries;
    group.io.fill(kNoSeries);
  };
  for (auto& [pattern, group] : by_pattern_) forget(group);
  for (auto& [user, group] : by_user_) forget(group);
}

void ProcessGroups::sum(const ProcessTable& table) {
  for (auto& [pattern, group] : by_pattern_) group.clear();
  for (auto& [user, group] : by_user_) group.clear();
  for (const Process& process : table.processes()) {
    for (auto& [pattern, group] : by_pattern_) {
      if (glob_match(pattern, table.command(process))) group.take(process);
    }
    if (!per_user_) continue;
    if (const auto owner = table.owner(process.pid); owner) by_user_[*owner].take(process);
  }
  // A pattern stays: that nothing matches it is worth knowing.
  std::erase_if(by_user_, [](const auto& one) { return one.second.processes == 0; });
}

void ProcessGroups::add_group(Group& group, std::string_view label, const std::function<std::string()>& value,
                              const Reading& reading, TickBuilder& out) {
  const auto add = [&](metrics::SeriesId& id, std::string_view metric, std::string_view direction, int64_t number) {
    if (id == kNoSeries) {
      metrics::Labels labels = {{std::string(label), sanitize_utf8(value())}};
      if (!direction.empty()) metrics::set_label(labels, "disk.io.direction", direction);
      id = out.intern(metric, std::move(labels));
    }
    out.add_integer(id, number);
  };
  constexpr std::array<std::string_view, 2> kDirections = {"read", "write"};
  add(group.count, "system.process.group.count", "", to_value(group.processes));
  add(group.cpu, "system.process.group.cpu.utilization", "", reading.share(group.cpu_growth));
  const bool too_large = group.rss_pages > INT64_MAX / std::max<uint64_t>(reading.page_bytes, 1);
  const uint64_t bytes = too_large ? INT64_MAX : group.rss_pages * reading.page_bytes;
  add(group.memory, "system.process.group.memory.usage", "", to_value(bytes));
  if (group.io_refused || (group.io_known == 0 && group.processes > 0)) return;
  for (size_t i = 0; i < kDirections.size(); ++i) {
    add(group.io[i], "system.process.group.disk.io.rate", kDirections[i],
        per_second(group.io_growth[i], reading.elapsed_ns));
  }
}

void ProcessGroups::add(const Reading& reading, TickBuilder& out) {
  if (by_pattern_.empty() && !per_user_) return;
  sum(reading.table);
  for (auto& [pattern, group] : by_pattern_) {
    add_group(group, "process.group", [&] { return pattern; }, reading, out);
  }
  size_t users = 0;
  for (auto& [user, group] : by_user_) {
    if (++users > kMostUsers) break;
    add_group(group, "process.owner", [&] { return reading.user_name(user); }, reading, out);
  }
}

}  // namespace monitor::agent
