// SegmentWriter: writes one segment, which this process creates. Each record is one write, and after a failed write
// nothing more is appended.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/disk.h"
#include "spool/format.h"
#include "spool/spool.h"

namespace monitor::agent {

class SegmentWriter {
 public:
  // No file with that name may exist. After an error, the new file is removed if possible.
  static Result<std::unique_ptr<SegmentWriter>> create(FileDisk& disk, const std::string& folder,
                                                       const SegmentHeader& header);

  // Returns the position of the record. After an error, nothing more may be appended; a partly written record is
  // truncated, or remains as a torn end.
  Result<uint64_t> append(const BatchInfo& info, std::string_view payload);
  // Writes the seal, so that the next start need not read the whole segment. If this fails, the next start only takes
  // longer.
  Status seal();

  uint64_t number() const { return number_; }
  uint64_t size() const { return size_; }
  const std::shared_ptr<DiskFile>& file() const { return file_; }

 private:
  SegmentWriter(std::shared_ptr<DiskFile> file, const SegmentHeader& header)
      : file_(std::move(file)), number_(header.number), size_(kSegmentHeaderBytes) {
    seal_.incarnation = header.incarnation;
  }
  Status write(const std::string& bytes);

  std::shared_ptr<DiskFile> file_;
  uint64_t number_;
  uint64_t size_;
  Seal seal_;
};

}  // namespace monitor::agent
