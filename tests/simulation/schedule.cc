#include "simulation/schedule.h"

#include <algorithm>

namespace monitor::simulation {

Schedule::Id Schedule::at(int64_t time_ns, std::function<void()> run) {
  uint32_t slot = 0;
  if (free_.empty()) {
    slot = static_cast<uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  slots_[slot].run = std::move(run);
  const uint32_t generation = slots_[slot].generation;
  heap_.push_back({std::max(time_ns, now_), ++order_, slot, generation});
  std::push_heap(heap_.begin(), heap_.end(), later);
  return (static_cast<Id>(generation) << 32) | slot;
}

void Schedule::release(uint32_t slot) {
  slots_[slot].run = nullptr;
  ++slots_[slot].generation;
  free_.push_back(slot);
}

void Schedule::cancel(Id id) {
  const auto slot = static_cast<uint32_t>(id);
  const auto generation = static_cast<uint32_t>(id >> 32);
  if (generation == 0 || slot >= slots_.size() || slots_[slot].generation != generation) return;
  // The callback's destructor may cancel other events.
  const auto run = std::move(slots_[slot].run);
  release(slot);
}

bool Schedule::step(int64_t until_ns) {
  while (!heap_.empty() && heap_.front().time <= until_ns) {
    const Entry entry = heap_.front();
    std::pop_heap(heap_.begin(), heap_.end(), later);
    heap_.pop_back();
    if (slots_[entry.slot].generation != entry.generation) continue;
    now_ = entry.time;
    const auto run = std::move(slots_[entry.slot].run);
    release(entry.slot);
    run();
    return true;
  }
  now_ = std::max(now_, until_ns);
  return false;
}

}  // namespace monitor::simulation
