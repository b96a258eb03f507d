// The format of segments (docs/spool-format.md). Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace monitor::agent {

inline constexpr uint32_t kSegmentVersion = 1;
inline constexpr size_t kSegmentHeaderBytes = 64;
inline constexpr size_t kRecordHeaderBytes = 80;
// The highest segment number that a valid checkpoint can contain. File names may contain numbers up to twice as high,
// so the successor of a checkpoint's number is always valid.
inline constexpr uint64_t kMaxSegmentNumber = uint64_t{1} << 53;
inline constexpr size_t kMaxPayloadBytes = size_t{1024} * 1024;
inline constexpr size_t kSealBytes = kRecordHeaderBytes + 24;
inline constexpr std::string_view kRecordMarker = "\xF7REC";

struct SegmentHeader {
  uint64_t number = 0;
  std::string incarnation;
  int64_t made_ns = 0;
};

enum class RecordKind : uint16_t { kBatch = 1, kSeal = 2 };

struct RecordHeader {
  RecordKind kind = RecordKind::kBatch;
  uint32_t payload_bytes = 0;
  uint32_t payload_crc = 0;
  std::string incarnation;
  uint64_t sequence = 0;
  int64_t appended_ns = 0;
  int64_t first_time_ns = 0;
  int64_t last_time_ns = 0;
  uint32_t ticks = 0;
  uint32_t points = 0;

  uint64_t record_bytes() const { return kRecordHeaderBytes + payload_bytes; }
};

// The last record of a segment, which summarizes it.
struct Seal {
  std::string incarnation;
  uint64_t first_sequence = 0;
  uint64_t last_sequence = 0;
  uint64_t records = 0;
  int64_t newest_appended_ns = 0;
  int64_t first_time_ns = 0;
  int64_t last_time_ns = 0;
};

std::string encode_segment_header(const SegmentHeader& header);
// Nothing if the checksum fails. `version` is also set for a newer version, whose other fields are not read.
std::optional<SegmentHeader> parse_segment_header(std::string_view bytes, uint32_t& version);

// Encodes a whole record. Computes the header's payload_bytes and payload_crc.
std::string encode_record(const RecordHeader& header, uint64_t segment, std::string_view payload);
// Nothing if the checksum fails, which also covers the segment's number.
std::optional<RecordHeader> parse_record_header(std::string_view bytes, uint64_t segment);
bool payload_checks(const RecordHeader& header, std::string_view payload);

std::string encode_seal(const Seal& seal, uint64_t segment);
// Parses the last kSealBytes of a segment.
std::optional<Seal> parse_seal(std::string_view bytes, uint64_t segment);

// 0000000000000001.seg
std::string segment_name(uint64_t number);
std::optional<uint64_t> parse_segment_name(std::string_view name);

namespace little_endian {
void put16(std::string& out, uint16_t value);
void put32(std::string& out, uint32_t value);
void put64(std::string& out, uint64_t value);
uint16_t get16(std::string_view bytes, size_t at);
uint32_t get32(std::string_view bytes, size_t at);
uint64_t get64(std::string_view bytes, size_t at);
}  // namespace little_endian

}  // namespace monitor::agent
