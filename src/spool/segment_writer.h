// The segment that is being written: made by this process, appended to by one write a record, never again after a write
// has failed.
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
  // A file with that name must not exist. After an error there is none, as far as it could be removed.
  static Result<std::unique_ptr<SegmentWriter>> create(FileDisk& disk, const std::string& folder,
                                                       const SegmentHeader& header);

  // Where the record begins. After an error nothing may be appended any more; what was written of the record has been
  // taken back, or is a torn end.
  Result<uint64_t> append(const BatchInfo& info, std::string_view payload);
  // Ends it, so that a start need not read it through. An error costs only that.
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
