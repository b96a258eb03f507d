#include "inputs/proc/top_list.h"

#include <algorithm>

#include "base/clock.h"
#include "base/saturating.h"

namespace monitor::agent {

namespace {

constexpr int64_t kMinute = 60 * kNanosPerSecond;

// The larger amount first; of equal ones, the smaller number.
bool larger(const std::pair<uint64_t, uint32_t>& a, const std::pair<uint64_t, uint32_t>& b) {
  return a.first != b.first ? a.first > b.first : a.second < b.second;
}

}  // namespace

void TopList::forget_series() {
  for (ListedProcess& one : listed_) one.series = {};
}

// Processes without CPU time, memory or I/O are in no ranking.
void TopList::rank(ProcessTable& table, size_t places) {
  const auto processes = table.processes();
  for (size_t ranking = 0; ranking < kRankings; ++ranking) {
    amounts_.clear();
    for (uint32_t i = 0; i < processes.size(); ++i) {
      const Process& one = processes[i];
      uint64_t amount = 0;
      if (ranking == kCpu && one.cpu_growth_known) amount = one.cpu_growth;
      if (ranking == kMemory) amount = one.rss_pages;
      if (ranking == kIo && one.io_growth_known) amount = saturating_add(one.io_growth[0], one.io_growth[1]);
      if (amount > 0) amounts_.emplace_back(amount, i);
    }
    const auto end = amounts_.begin() + static_cast<std::ptrdiff_t>(std::min(places, amounts_.size()));
    std::partial_sort(amounts_.begin(), end, amounts_.end(), larger);
    top_[ranking].clear();
    for (auto one = amounts_.begin(); one != end; ++one) {
      top_[ranking].push_back(one->second);
      processes[one->second].ranked = true;
    }
  }
}

void TopList::leave(ProcessTable& table) {
  std::erase_if(listed_, [&](ListedProcess& one) {
    const Process* const process = table.find(one.pid);
    if (process == nullptr || process->start_ticks != one.start_ticks) return true;
    if (process->ranked) one.ranked_at = reading_;
    return reading_ - one.ranked_at > kReadingsKept;
  });
}

void TopList::refill(size_t places, int64_t mono_ns) {
  const auto entries = static_cast<int64_t>(places);
  const int64_t elapsed = std::clamp<int64_t>(mono_ns - last_mono_, 0, kMinute);
  credit_ = std::min(credit_ + elapsed * entries, kMinute * entries);
  last_mono_ = mono_ns;
}

bool TopList::is_listed(const Process& process) const {
  return std::ranges::any_of(listed_, [&](const ListedProcess& one) { return one.pid == process.pid; });
}

// Removes the process that was among the top ones least recently. Returns false if all of them are.
bool TopList::make_room(size_t most) {
  while (listed_.size() >= most) {
    const auto last = std::ranges::min_element(listed_, {}, &ListedProcess::ranked_at);
    if (last->ranked_at == reading_) return false;
    listed_.erase(last);
  }
  return true;
}

// The first of each ranking, then the second of each, and so on.
void TopList::enter(ProcessTable& table, size_t places) {
  const bool first = reading_ == 1;
  for (size_t place = 0; place < places; ++place) {
    for (const auto& ranking : top_) {
      if (place >= ranking.size()) continue;
      const Process& process = table.processes()[ranking[place]];
      if (is_listed(process)) continue;
      if (!first && (!process.ranked_before || credit_ < kMinute)) continue;
      if (!make_room(kMostRankings * places)) return;
      if (!first) credit_ -= kMinute;
      ListedProcess& entered = listed_.emplace_back();
      entered.pid = process.pid;
      entered.start_ticks = process.start_ticks;
      entered.ranked_at = reading_;
    }
  }
}

void TopList::update(ProcessTable& table, size_t places, int64_t mono_ns) {
  ++reading_;
  if (reading_ == 1) last_mono_ = mono_ns - kMinute;
  refill(places, mono_ns);
  rank(table, places);
  leave(table);
  enter(table, places);
}

}  // namespace monitor::agent
