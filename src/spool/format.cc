#include "spool/format.h"

#include <fmt/format.h>

#include "base/crc32c.h"
#include "base/hex.h"
#include "metrics/batch.h"

namespace monitor::agent {

namespace little_endian {

namespace {

void put(std::string& out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
}

uint64_t get(std::string_view bytes, size_t at, size_t count) {
  uint64_t value = 0;
  for (size_t i = 0; i < count; ++i) value |= uint64_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
  return value;
}

}  // namespace

void put16(std::string& out, uint16_t value) { put(out, value, 2); }
void put32(std::string& out, uint32_t value) { put(out, value, 4); }
void put64(std::string& out, uint64_t value) { put(out, value, 8); }
uint16_t get16(std::string_view bytes, size_t at) { return static_cast<uint16_t>(get(bytes, at, 2)); }
uint32_t get32(std::string_view bytes, size_t at) { return static_cast<uint32_t>(get(bytes, at, 4)); }
uint64_t get64(std::string_view bytes, size_t at) { return get(bytes, at, 8); }

}  // namespace little_endian

namespace {

using namespace little_endian;

constexpr std::string_view kSegmentMagic = "MONSPOOL";
constexpr uint16_t kRecordVersion = 1;

int64_t get_time(std::string_view bytes, size_t at) { return static_cast<int64_t>(get64(bytes, at)); }
void put_time(std::string& out, int64_t time) { put64(out, static_cast<uint64_t>(time)); }

uint32_t record_crc(std::string_view header, uint64_t segment) {
  std::string number;
  put64(number, segment);
  return crc32c(header.substr(0, kRecordHeaderBytes - 4), crc32c(number));
}

std::string fixed_incarnation(std::string text) {
  text.resize(metrics::kIncarnationBytes, '\0');
  return text;
}

}  // namespace

std::string encode_segment_header(const SegmentHeader& header) {
  std::string out(kSegmentMagic);
  put32(out, kSegmentVersion);
  put32(out, kSegmentHeaderBytes);
  put64(out, header.number);
  out += fixed_incarnation(header.incarnation);
  put_time(out, header.made_ns);
  out.append(12, '\0');
  put32(out, crc32c(out));
  return out;
}

std::optional<SegmentHeader> parse_segment_header(std::string_view bytes, uint32_t& version) {
  version = 0;
  if (bytes.size() < kSegmentHeaderBytes || !bytes.starts_with(kSegmentMagic)) return std::nullopt;
  bytes = bytes.substr(0, kSegmentHeaderBytes);
  if (get32(bytes, 60) != crc32c(bytes.substr(0, 60))) return std::nullopt;
  version = get32(bytes, 8);
  SegmentHeader header;
  header.number = get64(bytes, 16);
  header.incarnation = bytes.substr(24, metrics::kIncarnationBytes);
  header.made_ns = get_time(bytes, 40);
  return header;
}

std::string encode_record(const RecordHeader& header, uint64_t segment, std::string_view payload) {
  std::string out;
  out.reserve(kRecordHeaderBytes + payload.size());
  out += kRecordMarker;
  put16(out, kRecordVersion);
  put16(out, static_cast<uint16_t>(header.kind));
  put32(out, static_cast<uint32_t>(payload.size()));
  put32(out, crc32c(payload));
  out += fixed_incarnation(header.incarnation);
  put64(out, header.sequence);
  put_time(out, header.appended_ns);
  put_time(out, header.first_time_ns);
  put_time(out, header.last_time_ns);
  put32(out, header.ticks);
  put32(out, header.points);
  put32(out, 0);
  put32(out, record_crc(out, segment));
  out += payload;
  return out;
}

std::optional<RecordHeader> parse_record_header(std::string_view bytes, uint64_t segment) {
  if (bytes.size() < kRecordHeaderBytes || !bytes.starts_with(kRecordMarker)) return std::nullopt;
  if (get32(bytes, 76) != record_crc(bytes, segment)) return std::nullopt;
  RecordHeader header;
  const uint16_t kind = get16(bytes, 6);
  header.payload_bytes = get32(bytes, 8);
  if (get16(bytes, 4) != kRecordVersion || kind < 1 || kind > 2 || header.payload_bytes > kMaxPayloadBytes) {
    return std::nullopt;
  }
  header.kind = static_cast<RecordKind>(kind);
  header.payload_crc = get32(bytes, 12);
  header.incarnation = bytes.substr(16, metrics::kIncarnationBytes);
  header.sequence = get64(bytes, 32);
  header.appended_ns = get_time(bytes, 40);
  header.first_time_ns = get_time(bytes, 48);
  header.last_time_ns = get_time(bytes, 56);
  header.ticks = get32(bytes, 64);
  header.points = get32(bytes, 68);
  if (header.sequence == 0 || header.sequence > INT64_MAX) return std::nullopt;
  return header;
}

bool payload_checks(const RecordHeader& header, std::string_view payload) {
  return payload.size() == header.payload_bytes && crc32c(payload) == header.payload_crc;
}

std::string encode_seal(const Seal& seal, uint64_t segment) {
  RecordHeader header;
  header.kind = RecordKind::kSeal;
  header.incarnation = seal.incarnation;
  header.sequence = seal.last_sequence;
  header.appended_ns = seal.newest_appended_ns;
  header.last_time_ns = seal.last_time_ns;
  std::string payload;
  put64(payload, seal.first_sequence);
  put64(payload, seal.records);
  put_time(payload, seal.first_time_ns);
  return encode_record(header, segment, payload);
}

std::optional<Seal> parse_seal(std::string_view bytes, uint64_t segment) {
  const auto header = parse_record_header(bytes, segment);
  if (!header || header->kind != RecordKind::kSeal || bytes.size() < kSealBytes) return std::nullopt;
  const std::string_view payload = bytes.substr(kRecordHeaderBytes, kSealBytes - kRecordHeaderBytes);
  if (!payload_checks(*header, payload)) return std::nullopt;
  Seal seal;
  seal.incarnation = header->incarnation;
  seal.first_sequence = get64(payload, 0);
  seal.last_sequence = header->sequence;
  seal.records = get64(payload, 8);
  seal.newest_appended_ns = header->appended_ns;
  seal.first_time_ns = get_time(payload, 16);
  seal.last_time_ns = header->last_time_ns;
  if (seal.first_sequence == 0 || seal.first_sequence > seal.last_sequence) return std::nullopt;
  return seal;
}

std::string segment_name(uint64_t number) { return fmt::format("{:016x}.seg", number); }

std::optional<uint64_t> parse_segment_name(std::string_view name) {
  if (name.size() != 20 || !name.ends_with(".seg")) return std::nullopt;
  uint64_t number = 0;
  for (const char c : name.substr(0, 16)) {
    const int digit = hex_value(c);
    if (digit < 0 || (c >= 'A' && c <= 'F')) return std::nullopt;  // the digits of names are lower case
    number = number << 4 | static_cast<uint64_t>(digit);
  }
  if (number == 0 || number > 2 * kMaxSegmentNumber) return std::nullopt;
  return number;
}

}  // namespace monitor::agent
