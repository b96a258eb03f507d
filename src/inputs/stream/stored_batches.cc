#include "inputs/stream/stored_batches.h"

#include <algorithm>
#include <utility>

namespace monitor::server {

namespace {

constexpr size_t kFirstSlots = 64;

}  // namespace

StoredBatches::StoredBatches(size_t most) : most_(std::clamp<size_t>(most, 1, kMost)), index_(kFirstSlots) {}

uint32_t StoredBatches::slot_of(const Batch& batch, size_t position) {
  return static_cast<uint32_t>(batch.second << kPositionBits) | static_cast<uint32_t>(position + 1);
}

std::optional<uint64_t> StoredBatches::find(uint64_t first, uint64_t second) const {
  const Batch wanted{.first = first, .second = second};
  const uint32_t name = slot_of(wanted, 0) & ~kPositionMask;
  for (size_t place = home(wanted); index_[place] != 0; place = next(place)) {
    if ((index_[place] & ~kPositionMask) != name) continue;
    const Batch& batch = at(index_[place]);
    if (batch.first == first && batch.second == second) return batch.content;
  }
  return std::nullopt;
}

void StoredBatches::add(const Batch& batch) {
  if (ring_.size() < most_) {
    if (2 * (ring_.size() + 1) > index_.size()) grow();
    ring_.push_back(batch);
    return insert(batch, ring_.size() - 1);
  }
  const size_t position = std::exchange(oldest_, (oldest_ + 1) % most_);
  erase(position);
  ring_[position] = batch;
  insert(batch, position);
}

void StoredBatches::insert(const Batch& batch, size_t position) {
  size_t place = home(batch);
  while (index_[place] != 0) place = next(place);
  index_[place] = slot_of(batch, position);
}

void StoredBatches::erase(size_t position) {
  const uint32_t slot = slot_of(ring_[position], position);
  size_t hole = home(ring_[position]);
  while (index_[hole] != slot) hole = next(hole);
  // What stands behind the hole moves up, unless that would put it before its home: a search stops at a free slot.
  for (size_t place = next(hole); index_[place] != 0; place = next(place)) {
    const size_t mask = index_.size() - 1;
    const size_t from_home = (place - home(at(index_[place]))) & mask;
    if (from_home < ((place - hole) & mask)) continue;
    index_[hole] = index_[place];
    hole = place;
  }
  index_[hole] = 0;
}

void StoredBatches::grow() {
  index_.assign(2 * index_.size(), 0);
  for (size_t position = 0; position < ring_.size(); ++position) insert(ring_[position], position);
}

}  // namespace monitor::server
