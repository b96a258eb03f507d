// What is in a spool's folder: its segments with the sequences that they hold, and what else lies there. Changes
// nothing. Memory is bounded: of a segment it keeps ranges, and reads it through only when it has no seal.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/disk.h"
#include "spool/format.h"
#include "spool/scanner.h"
#include "spool/sequence_set.h"
#include "spool/spool.h"

namespace monitor::agent {

struct SegmentInfo {
  uint64_t number = 0;
  uint64_t size = 0;
  uint64_t begin = kSegmentHeaderBytes;  // where records begin: 0 when the header is damaged
  bool sealed = false;
  std::string incarnation;
  SequenceSet sequences;  // said to be there: damage is found when they are read
  int64_t first_time_ns = 0;
  int64_t last_time_ns = 0;
  int64_t newest_appended_ns = 0;
  uint64_t damaged_bytes = 0;   // found while it was read through
  std::vector<BatchInfo> torn;  // headers that check, of records whose end is missing
};

enum class SegmentKind { kOurs, kEmpty, kForeign, kNewer, kUnreadable };

struct FolderContent {
  std::vector<SegmentInfo> segments;    // by number
  std::vector<uint64_t> empty;          // segments without anything in them
  std::vector<std::string> foreign;     // names; left alone
  std::vector<std::string> newer;       // names; left alone
  std::vector<std::string> unreadable;  // names; left alone
  uint64_t highest = 0;                 // number in use
};

// Whether what cannot be read is an error, or is passed over.
enum class Unreadable { kIsError, kIsPassedOver };

Result<FolderContent> read_folder(FileDisk& disk, const std::string& folder, Unreadable unreadable);

// Looks at one segment; `info` has its number.
Result<SegmentKind> read_segment(DiskFile& file, SegmentInfo& info, Unreadable unreadable);

BatchInfo batch_info(const RecordHeader& header);

}  // namespace monitor::agent
