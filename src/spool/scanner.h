// SegmentScanner: reads a segment record by record. After a damaged header, it searches for the next valid one. Memory
// is bounded by a chunk or one record.
//
// The file must outlive it. Views in a result are valid until the next call.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/disk.h"
#include "spool/format.h"

namespace monitor::agent {

struct Found {
  enum class Kind { kRecord, kDamage, kEnd };
  Kind kind = Kind::kEnd;
  uint64_t offset = 0;
  uint64_t bytes = 0;
  RecordHeader header;       // kRecord: valid
  bool intact = false;       // kRecord: the payload is complete and, if payloads are read, its checksum is right
  std::string_view payload;  // kRecord: set if payloads are read and it is intact
};

class SegmentScanner {
 public:
  enum class Read { kHeaders, kPayloads };

  // Starts at `offset`, which must be the position of a record, 0, or kSegmentHeaderBytes.
  SegmentScanner(DiskFile& file, uint64_t segment, uint64_t size, uint64_t offset, Read read);

  // An error means that nothing can be read at this position, and the next call tries again. Single unreadable blocks
  // count as damage; after give_up(), everything unreadable does.
  Result<Found> next();
  void give_up() { give_up_ = true; }

  // Call when the file has grown.
  void set_size(uint64_t size) { size_ = size; }
  // The position at which the next call continues.
  uint64_t offset() const { return at_; }

 private:
  Status load(uint64_t offset, uint64_t bytes);
  Status load_by_blocks(uint64_t offset, uint64_t bytes);
  std::string_view loaded(uint64_t offset) const;
  Result<Found> record(RecordHeader header);
  Result<Found> damage();

  DiskFile& file_;
  uint64_t segment_;
  uint64_t size_;
  uint64_t at_;
  Read read_;
  bool give_up_ = false;
  std::string buffer_;
  uint64_t buffer_at_ = 0;
};

}  // namespace monitor::agent
