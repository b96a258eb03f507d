#include "metrics/series_memory.h"

#include <cstring>

namespace monitor::metrics {

// A few words of the list suffice as a hash: lists that collide on purpose only cost their sender a full check.
size_t SeriesMemory::place_of(std::string_view list) {
  constexpr size_t kSamples = 16;
  constexpr uint64_t kOdd = 0x9E3779B97F4A7C15;
  uint64_t hash = list.size() * kOdd;
  if (list.size() >= sizeof(uint64_t)) {
    const size_t last = list.size() - sizeof(uint64_t);
    for (size_t i = 0; i <= kSamples; ++i) {
      uint64_t word = 0;
      std::memcpy(&word, list.data() + last * i / kSamples, sizeof word);
      hash = (hash ^ word) * kOdd;
      hash ^= hash >> 32;
    }
  }
  return hash % kPlaces;
}

const SeriesMemory::Types* SeriesMemory::find(std::string_view list) {
  const size_t place = place_of(list);
  const Known& known = known_[place];
  if (list.empty() || known.list != list) return nullptr;
  last_place_ = place;
  last_id_ = known.id;
  return &known.types;
}

void SeriesMemory::forget(Known& known) {
  bytes_ -= known.list.size() + known.types.size();
  known = Known();
}

void SeriesMemory::keep(std::string_view list, std::span<const uint8_t> types) {
  const size_t size = list.size() + types.size();
  last_id_ = 0;
  if (list.empty() || size > kMaxBytes) return;
  last_place_ = place_of(list);
  Known& known = known_[last_place_];
  forget(known);
  for (; bytes_ + size > kMaxBytes; next_to_forget_ = (next_to_forget_ + 1) % kPlaces) forget(known_[next_to_forget_]);
  known.list = list;
  known.id = last_id_ = ++ids_;
  known.types.assign(types.begin(), types.end());
  bytes_ += size;
}

}  // namespace monitor::metrics
