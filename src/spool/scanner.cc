#include "spool/scanner.h"

#include <algorithm>

namespace monitor::agent {

namespace {

constexpr uint64_t kChunk = uint64_t{256} * 1024;
constexpr uint64_t kBlock = 4096;

}  // namespace

SegmentScanner::SegmentScanner(DiskFile& file, uint64_t segment, uint64_t size, uint64_t offset, Read read)
    : file_(file), segment_(segment), size_(size), at_(offset), read_(read) {}

std::string_view SegmentScanner::loaded(uint64_t offset) const {
  if (offset < buffer_at_ || offset >= buffer_at_ + buffer_.size()) return {};
  return std::string_view(buffer_).substr(offset - buffer_at_);
}

// Loads at least `bytes` from `offset` on, if the file has that many.
Status SegmentScanner::load(uint64_t offset, uint64_t bytes) {
  const uint64_t end = std::min(size_, offset + bytes);
  if (offset >= end || loaded(offset).size() >= end - offset) return {};
  const uint64_t wanted = std::min(size_ - offset, std::max(bytes, kChunk));
  buffer_at_ = offset;
  buffer_.resize(wanted);
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto n = file_.read_at(offset, buffer_.data(), wanted);
    if (!n) continue;
    buffer_.resize(*n);
    if (*n < wanted) size_ = offset + *n;  // the file was truncated in the meantime
    return {};
  }
  return load_by_blocks(offset, wanted);
}

// Unreadable blocks become zeros, which contain no valid header.
Status SegmentScanner::load_by_blocks(uint64_t offset, uint64_t bytes) {
  std::fill(buffer_.begin(), buffer_.end(), '\0');
  bool any = false;
  Status last;
  for (uint64_t at = 0; at < bytes;) {
    const uint64_t count = std::min(bytes - at, kBlock - (offset + at) % kBlock);
    auto n = file_.read_at(offset + at, buffer_.data() + at, count);
    if (!n) n = file_.read_at(offset + at, buffer_.data() + at, count);
    any = any || n.ok();
    if (!n) last = n.error();
    at += count;
  }
  if (any || give_up_) return {};
  buffer_.clear();
  return last;
}

Result<Found> SegmentScanner::next() {
  if (at_ >= size_) return Found{};
  if (const Status s = load(at_, kRecordHeaderBytes); !s) return s.error();
  if (auto header = parse_record_header(loaded(at_), segment_)) return record(std::move(*header));
  return damage();
}

Result<Found> SegmentScanner::record(RecordHeader header) {
  Found found;
  found.kind = Found::Kind::kRecord;
  found.offset = at_;
  found.bytes = std::min(header.record_bytes(), size_ - at_);
  found.intact = found.bytes == header.record_bytes();
  if (read_ == Read::kPayloads && found.intact) {
    if (const Status s = load(at_, found.bytes); !s) return s.error();
    const std::string_view bytes = loaded(at_);
    if (bytes.size() >= found.bytes) {
      found.payload = bytes.substr(kRecordHeaderBytes, header.payload_bytes);
    }
    found.intact = payload_checks(header, found.payload);
  }
  found.header = std::move(header);
  at_ += found.bytes;
  return found;
}

Result<Found> SegmentScanner::damage() {
  Found found;
  found.kind = Found::Kind::kDamage;
  found.offset = at_;
  uint64_t at = at_ + 1;
  while (at + kRecordHeaderBytes <= size_) {
    if (const Status s = load(at, kRecordHeaderBytes); !s) return s.error();
    const std::string_view bytes = loaded(at);
    const size_t marker = bytes.find(kRecordMarker);
    if (marker == 0) {
      if (parse_record_header(bytes, segment_)) break;
      ++at;
    } else if (marker != std::string_view::npos) {
      at += marker;
    } else {
      at += bytes.size() > kRecordMarker.size() ? bytes.size() - kRecordMarker.size() + 1 : 1;
    }
  }
  if (at + kRecordHeaderBytes > size_) at = size_;
  found.bytes = at - at_;
  at_ = at;
  return found;
}

}  // namespace monitor::agent
