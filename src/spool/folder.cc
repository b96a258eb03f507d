#include "spool/folder.h"

#include <algorithm>

namespace monitor::agent {

namespace {

constexpr std::string_view kCheckpointName = "checkpoint";

bool is_own_name(std::string_view name) {
  return name == "lock" || name == kCheckpointName || name == "checkpoint.newer";
}

// Reads up to `size` bytes; retries once after an error.
Result<std::string> read_some(DiskFile& file, uint64_t offset, size_t size) {
  std::string bytes(size, '\0');
  auto n = file.read_at(offset, bytes.data(), size);
  if (!n) n = file.read_at(offset, bytes.data(), size);
  if (!n) return n.error();
  bytes.resize(*n);
  return bytes;
}

void take_seal(const Seal& seal, SegmentInfo& info) {
  info.sealed = true;
  info.incarnation = seal.incarnation;
  info.sequences.add(seal.first_sequence, seal.last_sequence);
  info.first_time_ns = seal.first_time_ns;
  info.last_time_ns = seal.last_time_ns;
  info.newest_appended_ns = seal.newest_appended_ns;
}

void take_record(const Found& found, SegmentInfo& info) {
  const RecordHeader& header = found.header;
  if (header.kind != RecordKind::kBatch) return;
  if (info.incarnation.empty()) info.incarnation = header.incarnation;
  if (info.incarnation != header.incarnation) {
    info.damaged_bytes += found.bytes;
    return;
  }
  if (!found.intact) {
    info.torn.push_back(batch_info(header));
    info.damaged_bytes += found.bytes;
    return;
  }
  info.sequences.add(header.sequence);
  if (info.first_time_ns == 0) info.first_time_ns = header.first_time_ns;
  if (header.last_time_ns != 0) info.last_time_ns = header.last_time_ns;
  info.newest_appended_ns = std::max(info.newest_appended_ns, header.appended_ns);
}

Status read_through(DiskFile& file, SegmentInfo& info, Unreadable unreadable) {
  SegmentScanner scanner(file, info.number, info.size, info.begin, SegmentScanner::Read::kHeaders);
  if (unreadable == Unreadable::kIsPassedOver) scanner.give_up();
  while (true) {
    const auto found = scanner.next();
    if (!found) return found.error();
    if (found->kind == Found::Kind::kEnd) return {};
    if (found->kind == Found::Kind::kDamage) info.damaged_bytes += found->bytes;
    if (found->kind == Found::Kind::kRecord) take_record(*found, info);
  }
}

bool all_zero(std::string_view bytes) { return bytes.find_first_not_of('\0') == std::string_view::npos; }

Result<SegmentKind> look_at(FileDisk& disk, const std::string& path, SegmentInfo& info, Unreadable unreadable) {
  auto file = disk.open_file(path, FileDisk::Open::kRead);
  if (!file) file = disk.open_file(path, FileDisk::Open::kRead);
  Result<SegmentKind> kind = file ? read_segment(**file, info, unreadable) : Result<SegmentKind>(file.error());
  if (!kind && unreadable == Unreadable::kIsPassedOver) return SegmentKind::kUnreadable;
  return kind;
}

}  // namespace

BatchInfo batch_info(const RecordHeader& header) {
  BatchInfo info;
  info.incarnation = header.incarnation;
  info.sequence = header.sequence;
  info.ticks = header.ticks;
  info.points = header.points;
  info.first_time_ns = header.first_time_ns;
  info.last_time_ns = header.last_time_ns;
  info.appended_ns = header.appended_ns;
  return info;
}

Result<SegmentKind> read_segment(DiskFile& file, SegmentInfo& info, Unreadable unreadable) {
  auto size = file.size();
  if (!size) size = file.size();
  if (!size) return size.error();
  info.size = *size;
  auto head = read_some(file, 0, kSegmentHeaderBytes);
  if (!head && unreadable == Unreadable::kIsError) return head.error();
  if (!head) head = std::string();
  uint32_t version = 0;
  const auto header = parse_segment_header(*head, version);
  if (header && version > kSegmentVersion) return SegmentKind::kNewer;
  const bool good = header && header->number == info.number;
  info.begin = good ? kSegmentHeaderBytes : 0;
  if (good && info.size <= kSegmentHeaderBytes) return SegmentKind::kEmpty;
  if (good) info.incarnation = header->incarnation;
  if (info.size >= kSegmentHeaderBytes + kSealBytes) {
    const auto tail = read_some(file, info.size - kSealBytes, kSealBytes);
    const auto seal = tail ? parse_seal(*tail, info.number) : std::nullopt;
    if (seal && (info.incarnation.empty() || info.incarnation == seal->incarnation)) {
      take_seal(*seal, info);
      return SegmentKind::kOurs;
    }
  }
  if (const Status s = read_through(file, info, unreadable); !s) return s.error();
  if (good || !info.sequences.empty() || !info.torn.empty()) return SegmentKind::kOurs;
  // No valid header. A file that is truncated within its header, or was never written, is one of ours.
  const bool torn = info.size <= kSegmentHeaderBytes && std::string_view("MONSPOOL").starts_with(head->substr(0, 8));
  return torn || all_zero(*head) ? SegmentKind::kEmpty : SegmentKind::kForeign;
}

Result<FolderContent> read_folder(FileDisk& disk, const std::string& folder, Unreadable unreadable) {
  auto names = disk.list_folder(folder);
  if (!names) return names.error();
  std::sort(names->begin(), names->end());
  FolderContent content;
  for (const std::string& name : *names) {
    if (is_own_name(name)) continue;
    const auto number = parse_segment_name(name);
    if (!number) {
      content.foreign.push_back(name);
      continue;
    }
    content.highest = std::max(content.highest, *number);
    SegmentInfo info;
    info.number = *number;
    std::string path = folder;
    path.append("/").append(name);
    const auto kind = look_at(disk, path, info, unreadable);
    if (!kind) return kind.error();
    if (*kind == SegmentKind::kOurs) content.segments.push_back(std::move(info));
    if (*kind == SegmentKind::kEmpty) content.empty.push_back(*number);
    if (*kind == SegmentKind::kForeign) content.foreign.push_back(name);
    if (*kind == SegmentKind::kNewer) content.newer.push_back(name);
    if (*kind == SegmentKind::kUnreadable) content.unreadable.push_back(name);
  }
  return content;
}

}  // namespace monitor::agent
