// Reads a spool's folder: its segments with their sequences, and the names of other files. Changes nothing. Memory is
// bounded: keeps ranges of sequences, and reads a segment to its end only if it has no seal.
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
  uint64_t begin = kSegmentHeaderBytes;  // offset of the first record; 0: the header is damaged
  bool sealed = false;
  std::string incarnation;
  IntervalSet sequences;  // according to headers and seal; damage is found when records are read
  int64_t first_time_ns = 0;
  int64_t last_time_ns = 0;
  int64_t newest_appended_ns = 0;
  uint64_t damaged_bytes = 0;   // found while reading
  std::vector<BatchInfo> torn;  // records with a valid header that are incomplete
};

enum class SegmentKind { kOurs, kEmpty, kForeign, kNewer, kUnreadable };

struct FolderContent {
  std::vector<SegmentInfo> segments;    // by number
  std::vector<uint64_t> empty;          // numbers of segments without records
  std::vector<std::string> foreign;     // names; not touched
  std::vector<std::string> newer;       // names; not touched
  std::vector<std::string> unreadable;  // names; not touched
  uint64_t highest = 0;                 // highest number in use
};

// Whether a file that cannot be read is an error or is skipped.
enum class Unreadable { kIsError, kIsPassedOver };

Result<FolderContent> read_folder(FileDisk& disk, const std::string& folder, Unreadable unreadable);

// Reads one segment. `info` must contain its number.
Result<SegmentKind> read_segment(DiskFile& file, SegmentInfo& info, Unreadable unreadable);

BatchInfo batch_info(const RecordHeader& header);

}  // namespace monitor::agent
