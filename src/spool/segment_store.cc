#include "spool/segment_store.h"

#include <algorithm>

#include "base/mutant.h"

namespace monitor::agent {

SegmentStore::SegmentStore(FileDisk& disk, const Clock& clock, std::string folder, std::string incarnation,
                           uint64_t segment_bytes)
    : disk_(disk),
      clock_(clock),
      folder_(std::move(folder)),
      incarnation_(std::move(incarnation)),
      segment_bytes_(segment_bytes) {}

void SegmentStore::adopt(FolderContent& content, uint64_t highest) {
  highest_ = std::max({highest_, content.highest, highest});
  for (SegmentInfo& segment : content.segments) {
    live_bytes_ += segment.size;
    disk_bytes_ += segment.size;
    segments_[segment.number] = std::move(segment);
  }
  for (const uint64_t number : content.empty) {
    segments_[number].number = number;
    retired_.insert(number);
  }
}

void SegmentStore::set_segment_bytes(uint64_t bytes) {
  segment_bytes_ = bytes;
  if (writer_ && writer_->size() >= segment_bytes_) end_segment(true);
}

Status SegmentStore::begin_segment() {
  if (is_mutant("append_to_recovered") && segments_.contains(highest_) && !retired_.contains(highest_) &&
      segments_.at(highest_).incarnation != incarnation_) {
    --highest_;
  }
  const SegmentHeader header{highest_ + 1, incarnation_, clock_.wall_ns()};
  auto made = SegmentWriter::create(disk_, folder_, header);
  // The number is not used again, whatever the failed attempt has left.
  ++highest_;
  if (!made) return made.error();
  writer_ = std::move(*made);
  SegmentInfo& info = segments_[writer_->number()];
  info.number = writer_->number();
  info.incarnation = incarnation_;
  info.size = writer_->size();
  live_bytes_ += info.size;
  disk_bytes_ += info.size;
  folder_changed_ = true;
  ++writes_;
  return {};
}

void SegmentStore::grow(SegmentInfo& segment) {
  live_bytes_ += writer_->size() - segment.size;
  disk_bytes_ += writer_->size() - segment.size;
  segment.size = writer_->size();
  ++writes_;
}

void SegmentStore::end_segment(bool seal) {
  if (!writer_) return;
  if (seal && writer_->seal()) grow(segments_.at(writer_->number()));
  writer_.reset();
}

Result<RecordPosition> SegmentStore::append(const BatchInfo& batch, std::string_view bytes) {
  if (writer_ && writer_->size() >= segment_bytes_) end_segment(true);
  if (!writer_) {
    if (Status begun = begin_segment(); !begun) return begun.error();
  }
  const auto at = writer_->append(batch, bytes);
  if (!at) {
    end_segment(false);
    return at.error();
  }
  SegmentInfo& info = segments_.at(writer_->number());
  grow(info);
  info.sequences.add(batch.sequence);
  if (info.first_time_ns == 0) info.first_time_ns = batch.first_time_ns;
  if (batch.last_time_ns != 0) info.last_time_ns = batch.last_time_ns;
  info.newest_appended_ns = std::max(info.newest_appended_ns, batch.appended_ns);
  return RecordPosition{writer_->number(), *at};
}

Result<std::shared_ptr<DiskFile>> SegmentStore::file_of(uint64_t number) {
  if (is_written(number)) return writer_->file();
  if (open_file_.second && open_file_.first == number) return open_file_.second;
  auto file = disk_.open_file(folder_ + "/" + segment_name(number), FileDisk::Open::kRead);
  if (!file) return file.error();
  open_file_ = {number, std::shared_ptr<DiskFile>(std::move(*file))};
  return open_file_.second;
}

bool SegmentStore::retire(SegmentInfo& segment) {
  if (!retired_.insert(segment.number).second) return false;
  live_bytes_ -= segment.size;
  if (open_file_.first == segment.number) open_file_ = {};
  return true;
}

void SegmentStore::erase(uint64_t number) {
  const auto segment = segments_.find(number);
  if (segment == segments_.end()) return;
  disk_bytes_ -= segment->second.size;
  segments_.erase(segment);
  retired_.erase(number);
}

}  // namespace monitor::agent
