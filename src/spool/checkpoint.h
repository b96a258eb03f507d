// The spool's checkpoint: which batches are resolved, and which reports are pending. docs/spool-format.md specifies the
// bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/disk.h"
#include "base/interval_set.h"
#include "metrics/batch.h"
#include "spool/folder.h"
#include "spool/spool.h"

namespace monitor::agent {

struct IncarnationState {
  std::string incarnation;
  IntervalSet settled;  // acknowledged or dropped; all others up to last_sequence wait
  uint64_t last_sequence = 0;
  int64_t last_time_ns = 0;
  bool end_reported = false;
  bool clean = false;
};

struct Checkpoint {
  uint64_t segment = 0;  // the highest segment number used
  std::vector<IncarnationState> incarnations;
  PendingReports reports = {};
};

inline constexpr size_t kCheckpointSlotBytes = size_t{256} * 1024;
inline constexpr size_t kCheckpointSlotHeaderBytes = 32;
inline constexpr size_t kMaxCheckpointBytes = kCheckpointSlotBytes - kCheckpointSlotHeaderBytes;

// At most kMaxCheckpointBytes. If necessary, omits resolved batches, which are then sent again.
std::string encode_checkpoint(const Checkpoint& checkpoint);
Result<Checkpoint> parse_checkpoint(std::string_view content);

std::string encode_checkpoint_slot(uint64_t generation, std::string_view content);
struct CheckpointSlot {
  uint64_t generation = 0;
  std::string_view content;
  bool newer = false;  // written by a newer version; the content is empty
};
// Nothing if a checksum fails.
std::optional<CheckpointSlot> parse_checkpoint_slot(std::string_view bytes);

// The content of the file, from its newest valid slot.
struct CheckpointContent {
  std::optional<Checkpoint> checkpoint;
  uint64_t generation = 0;
  int slot = 0;        // the slot that contains it
  bool newer = false;  // a slot was written by a newer version
  Status status;       // error: a slot could not be read, and may be newer than this content
};
CheckpointContent read_checkpoint(DiskFile& file);

// One write of the file: prepared on the loop, run on any thread, and reported to done() on the loop.
struct CheckpointWrite {
  std::shared_ptr<DiskFile> file;
  int slot = 0;
  bool sync = false;
  std::string bytes;

  Status run() const;
};

// Decides which slot is written next. Loop's thread only.
class CheckpointFile {
 public:
  // Creates the file if it is missing, with room for both slots.
  static Result<CheckpointFile> open(FileDisk& disk, const std::string& folder, Unreadable unreadable);

  const CheckpointContent& content() const { return content_; }
  CheckpointWrite prepare(const Checkpoint& checkpoint, bool sync);
  void done(const CheckpointWrite& write, const Status& status);

 private:
  CheckpointFile(std::shared_ptr<DiskFile> file, CheckpointContent content);

  std::shared_ptr<DiskFile> file_;
  CheckpointContent content_;
  uint64_t generation_ = 0;
  int synced_slot_ = 0;  // must not be overwritten before the other slot is synced
};

}  // namespace monitor::agent
