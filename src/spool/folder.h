// Reads a spool's folder: its segments with their sequences, and files that do not belong to it. Changes nothing.
// Memory is bounded: it keeps the ranges of sequences, and reads a segment to the end only if it has no seal.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/interval_set.h"
#include "spool/format.h"
#include "spool/scanner.h"
#include "spool/spool.h"

namespace monitor::agent {

struct SegmentInfo {
  uint64_t number = 0;
  uint64_t size = 0;
  uint64_t begin = kSegmentHeaderBytes;  // where records begin: 0 when the header is damaged
  bool sealed = false;
  std::string incarnation;
  IntervalSet sequences;  // according to headers and seal; damage is found when records are read
  int64_t first_time_ns = 0;
  int64_t last_time_ns = 0;
  int64_t newest_appended_ns = 0;
  uint64_t damaged_bytes = 0;   // found while it was read
  std::vector<BatchInfo> torn;  // records with a valid header whose end is missing
};

enum class SegmentKind { kOurs, kEmpty, kForeign, kNewer, kUnreadable };

struct FolderContent {
  std::vector<SegmentInfo> segments;    // by number
  std::vector<uint64_t> empty;          // numbers of segments without records
  std::vector<std::string> foreign;     // names; left alone
  std::vector<std::string> newer;       // names; left alone
  std::vector<std::string> unreadable;  // names; left alone
  uint64_t highest = 0;                 // number in use
};

// Whether a file that cannot be read is an error, or is skipped.
enum class Unreadable { kIsError, kIsPassedOver };

Result<FolderContent> read_folder(FileDisk& disk, const std::string& folder, Unreadable unreadable);

// Reads one segment; `info` has its number.
Result<SegmentKind> read_segment(DiskFile& file, SegmentInfo& info, Unreadable unreadable);

BatchInfo batch_info(const RecordHeader& header);

}  // namespace monitor::agent
