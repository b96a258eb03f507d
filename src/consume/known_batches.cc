#include "consume/known_batches.h"

#include <algorithm>

namespace monitor::analysis {

namespace {

// Room at the start of newer_ is given back in steps.
constexpr size_t kMostRemoved = 64;

}  // namespace

const KnownBatch* KnownBatches::find(uint64_t sequence) const {
  const std::span<const KnownBatch> part =
      !older_.empty() && sequence <= older_.back().sequence ? std::span(older_) : newer();
  const auto found = std::ranges::lower_bound(part, sequence, {}, &KnownBatch::sequence);
  return found == part.end() || found->sequence != sequence ? nullptr : &*found;
}

void KnownBatches::add(const KnownBatch& one) {
  const bool old = !older_.empty() && one.sequence < older_.back().sequence;
  std::vector<KnownBatch>& part = old ? older_ : newer_;
  const auto begin = part.begin() + static_cast<std::ptrdiff_t>(old ? 0 : removed_);
  // Most often the highest.
  const bool last = begin == part.end() || part.back().sequence < one.sequence;
  part.insert(last ? part.end() : std::ranges::upper_bound(begin, part.end(), one.sequence, {}, &KnownBatch::sequence),
              one);
}

void KnownBatches::remove(size_t index, size_t sample) {
  if (index < older_.size()) {
    older_.erase(older_.begin() + static_cast<std::ptrdiff_t>(index));
  } else if (index == older_.size()) {
    ++removed_;
  } else {
    newer_.erase(newer_.begin() + static_cast<std::ptrdiff_t>(removed_ + index - older_.size()));
  }
  while (older_.size() < sample && removed_ < newer_.size()) older_.push_back(newer_[removed_++]);
  if (removed_ < kMostRemoved) return;
  newer_.erase(newer_.begin(), newer_.begin() + static_cast<std::ptrdiff_t>(removed_));
  removed_ = 0;
}

}  // namespace monitor::analysis
