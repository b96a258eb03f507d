// KnownBatches: of some batches of a run, which content and which offset they had. In ascending order of sequences;
// each has an index in that order. A list of which the older part is a sample, and the newer part the latest ones, is
// cheap: adding the latest, and removing the one between the two parts, take constant time.
//
// A value type; not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "consume/digest.h"

namespace monitor::analysis {

struct KnownBatch {
  uint64_t sequence = 0;
  int64_t offset = 0;
  Digest digest;
};

class KnownBatches {
 public:
  KnownBatches() = default;
  // Ascending in sequence.
  explicit KnownBatches(std::vector<KnownBatch> known) : newer_(std::move(known)) {}

  size_t size() const { return older_.size() + newer_.size() - removed_; }
  // nullptr: it is not known. Valid until the next change.
  const KnownBatch* find(uint64_t sequence) const;
  // Its sequence must not be in the list.
  void add(const KnownBatch& one);
  // From then on, the older part has `sample` batches, if there are so many.
  void remove(size_t index, size_t sample);

  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (const KnownBatch& one : older_) visit(one);
    for (const KnownBatch& one : newer()) visit(one);
  }

 private:
  std::span<const KnownBatch> newer() const { return std::span(newer_).subspan(removed_); }

  std::vector<KnownBatch> older_;
  std::vector<KnownBatch> newer_;
  size_t removed_ = 0;  // at the start of newer_
};

}  // namespace monitor::analysis
