// StoredBatches: the names and contents of the last batches that the log has confirmed. Every batch that arrives is
// looked up here, so the table is made for few cache misses: the batches in a ring, in the order of their confirmation,
// and beside it an index of four bytes a slot, which nearly always tells without the ring that a name is not there.
//
// 32 to 40 bytes a batch, without an allocation for each. Thread-compatible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace monitor::server {

class StoredBatches {
 public:
  // Hashes with secret keys (HeldBatches::id_of), so that a peer cannot choose names that share a slot.
  struct Batch {
    uint64_t first = 0;  // with `second`: the name
    uint64_t second = 0;
    uint64_t content = 0;
  };

  // Remembers the last `most` batches; at least 1, at most kMost.
  explicit StoredBatches(size_t most);
  static constexpr size_t kMost = size_t{1} << 16;

  // The content of the batch of this name; nothing if it is not remembered.
  std::optional<uint64_t> find(uint64_t first, uint64_t second) const;
  // Its name must not be there yet. Forgets the oldest batch if there are too many.
  void add(const Batch& batch);
  size_t size() const { return ring_.size(); }

 private:
  // A slot of the index: 0 if it is free, else the position in the ring + 1 in the low bits, and above it as many bits
  // of the name as fit.
  static constexpr unsigned kPositionBits = 17;
  static constexpr uint32_t kPositionMask = (uint32_t{1} << kPositionBits) - 1;

  static uint32_t slot_of(const Batch& batch, size_t position);
  const Batch& at(uint32_t slot) const { return ring_[(slot & kPositionMask) - 1]; }
  size_t home(const Batch& batch) const { return batch.first & (index_.size() - 1); }
  size_t next(size_t place) const { return (place + 1) & (index_.size() - 1); }
  void insert(const Batch& batch, size_t position);
  void erase(size_t position);
  void grow();

  const size_t most_;
  std::vector<Batch> ring_;      // in the order of add(), from oldest_ on once it is full
  size_t oldest_ = 0;            // in a full ring
  std::vector<uint32_t> index_;  // open addressing with linear probing; a power of two, at most half full
};

}  // namespace monitor::server
