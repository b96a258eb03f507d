#include "spool/segment_writer.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/mutant.h"

namespace monitor::agent {

namespace {

Error cut_short(uint64_t number, size_t got, size_t wanted) {
  return Error(Code::kResourceExhausted,
               fmt::format("writing segment {}: {} of {} bytes were written", segment_name(number), got, wanted));
}

}  // namespace

Result<std::unique_ptr<SegmentWriter>> SegmentWriter::create(FileDisk& disk, const std::string& folder,
                                                             const SegmentHeader& header) {
  const std::string path = folder + "/" + segment_name(header.number);
  auto file = disk.open_file(path, FileDisk::Open::kCreate);
  if (is_mutant("append_to_recovered") && !file) {
    if (auto old = disk.open_file(path, FileDisk::Open::kWrite); old) {
      const auto size = (*old)->size();
      if (!size) return size.error();
      std::unique_ptr<SegmentWriter> writer(new SegmentWriter(std::shared_ptr<DiskFile>(std::move(*old)), header));
      writer->size_ = *size;
      return writer;
    }
  }
  if (!file) return file.error();
  const std::string bytes = encode_segment_header(header);
  const auto n = (*file)->write_at(0, bytes);
  if (!n || *n != bytes.size()) {
    (void)disk.remove_file(path);
    return n ? cut_short(header.number, *n, bytes.size()) : n.error();
  }
  return std::unique_ptr<SegmentWriter>(new SegmentWriter(std::shared_ptr<DiskFile>(std::move(*file)), header));
}

Status SegmentWriter::write(const std::string& bytes) {
  const auto n = file_->write_at(size_, bytes);
  if (n && *n == bytes.size()) return {};
  (void)file_->truncate(size_);
  return n ? cut_short(number_, *n, bytes.size()) : n.error();
}

Result<uint64_t> SegmentWriter::append(const BatchInfo& info, std::string_view payload) {
  RecordHeader header;
  header.incarnation = info.incarnation;
  header.sequence = info.sequence;
  header.appended_ns = info.appended_ns;
  header.first_time_ns = info.first_time_ns;
  header.last_time_ns = info.last_time_ns;
  header.ticks = static_cast<uint32_t>(std::min<uint64_t>(info.ticks, UINT32_MAX));
  header.points = static_cast<uint32_t>(std::min<uint64_t>(info.points, UINT32_MAX));
  const std::string bytes = encode_record(header, number_, payload);
  if (const Status s = write(bytes); !s) return s.error();
  const uint64_t at = size_;
  size_ += bytes.size();
  if (seal_.records++ == 0) seal_.first_sequence = info.sequence;
  seal_.last_sequence = info.sequence;
  seal_.newest_appended_ns = std::max(seal_.newest_appended_ns, info.appended_ns);
  if (seal_.first_time_ns == 0) seal_.first_time_ns = info.first_time_ns;
  if (info.last_time_ns != 0) seal_.last_time_ns = info.last_time_ns;
  return at;
}

Status SegmentWriter::seal() {
  if (seal_.records == 0) return {};
  const std::string bytes = encode_seal(seal_, number_);
  if (const Status s = write(bytes); !s) return s;
  size_ += bytes.size();
  return {};
}

}  // namespace monitor::agent
