// SegmentStore: the segment files of a spool's folder. Records are written to the current segment. Retired segments are
// deleted once a checkpoint allows it.
//
// Loop's thread only. Writing and reading block as long as the page cache requires; syncs and deletions are done
// elsewhere. Disk and clock must outlive it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/disk.h"
#include "spool/folder.h"
#include "spool/segment_writer.h"
#include "spool/send_queue.h"

namespace monitor::agent {

class SegmentStore {
 public:
  // A segment that has reached `segment_bytes` is sealed. `incarnation` is that of new segments.
  SegmentStore(FileDisk& disk, const Clock& clock, std::string folder, std::string incarnation, uint64_t segment_bytes);

  // Takes over the content of the folder. New segments get numbers above `highest`.
  void adopt(FolderContent& content, uint64_t highest);
  void set_segment_bytes(uint64_t bytes);

  // Writes a record. After an error the current segment is abandoned, and the next append starts another one.
  Result<RecordPosition> append(const BatchInfo& info, std::string_view bytes);
  // Ends the current segment, if there is one. An error while sealing only costs time at the next start.
  void end_segment(bool seal);
  // nullptr if there is no current segment.
  const SegmentWriter* writer() const { return writer_.get(); }
  bool is_written(uint64_t number) const { return writer_ && writer_->number() == number; }

  // Opens a segment for reading. The last one stays open until close_file().
  Result<std::shared_ptr<DiskFile>> file_of(uint64_t number);
  void close_file() { open_file_ = {}; }

  // Returns false if it is already retired.
  bool retire(SegmentInfo& segment);
  bool is_retired(uint64_t number) const { return retired_.contains(number); }
  const std::set<uint64_t>& retired() const { return retired_; }
  // The file was deleted.
  void erase(uint64_t number);

  // True if segments were created since the last call.
  bool take_folder_changed() { return std::exchange(folder_changed_, false); }
  void set_folder_changed() { folder_changed_ = true; }

  // By number; includes retired segments until their files are deleted.
  std::map<uint64_t, SegmentInfo>& segments() { return segments_; }
  const std::map<uint64_t, SegmentInfo>& segments() const { return segments_; }
  uint64_t highest() const { return highest_; }  // number in use
  uint64_t segment_bytes() const { return segment_bytes_; }
  uint64_t live_bytes() const { return live_bytes_; }  // of segments that are not retired
  uint64_t disk_bytes() const { return disk_bytes_; }  // of all segments
  uint64_t writes() const { return writes_; }

 private:
  Status begin_segment();
  void grow(SegmentInfo& segment);

  FileDisk& disk_;
  const Clock& clock_;
  const std::string folder_;
  const std::string incarnation_;
  uint64_t segment_bytes_;
  std::map<uint64_t, SegmentInfo> segments_;
  std::set<uint64_t> retired_;
  uint64_t highest_ = 0;
  uint64_t live_bytes_ = 0;
  uint64_t disk_bytes_ = 0;
  uint64_t writes_ = 0;
  bool folder_changed_ = false;
  std::unique_ptr<SegmentWriter> writer_;
  std::pair<uint64_t, std::shared_ptr<DiskFile>> open_file_;
};

}  // namespace monitor::agent
