// PartitionWindows' form in snapshots, as Protocol Buffers. Field numbers must never change; unknown ones are skipped.
#include <algorithm>

#include "base/protowire.h"
#include "views/aggregate/partition_windows.h"

namespace monitor::analysis {

namespace {

enum : uint32_t {
  kFingerprint = 1,
  kGroups = 2,
  kProgress = 3,
  kTakenUntil = 4,
  kWholeFrom = 5,
  kUnread = 6,
  kPane = 7,
  kRevision = 8,
  kCorrection = 9,
  kTooLate = 10,
  kAhead = 11,
  kRefused = 12,
  kLogSecond = 13,
  kCorrectedAt = 14,
};
// Fields of a pane, and of one of its cells.
enum : uint32_t { kStart = 1, kCell = 2 };
enum : uint32_t { kGroup = 1, kContent = 2 };
// Fields of a revision.
enum : uint32_t { kWindow = 1, kGroupOf = 2, kNumber = 3 };

Error malformed(const char* what) { return Error(Code::kDataLoss, std::string("aggregates: ") + what); }

}  // namespace

void PartitionWindows::encode_panes(std::string& out) const {
  for (const auto& [start, pane] : panes_) {
    std::string bytes;
    protowire::put_sfixed64(bytes, kStart, start);
    for (size_t group = 0; group < pane.cells.size(); ++group) {
      if (!pane.cells[group]) continue;
      std::string content;
      pane.cells[group]->encode(content);
      std::string cell;
      protowire::put_uint64(cell, kGroup, group);
      protowire::put_message(cell, kContent, content);
      protowire::put_message(bytes, kCell, cell);
    }
    protowire::put_message(out, kPane, bytes);
  }
}

void PartitionWindows::encode(std::string& out) const {
  protowire::put_bytes(out, kFingerprint, spec_.fingerprint());
  std::string bytes;
  groups_.encode(bytes);
  protowire::put_bytes(out, kGroups, bytes);
  bytes.clear();
  progress_.encode(bytes);
  protowire::put_bytes(out, kProgress, bytes);
  protowire::put_sfixed64(out, kTakenUntil, taken_until_ns_);
  protowire::put_sfixed64(out, kWholeFrom, whole_from_ns_);
  protowire::put_uint64(out, kUnread, unread_before_first_ ? 1 : 0);
  encode_panes(out);
  const auto put = [&out](uint32_t field, const std::pair<int64_t, uint32_t>& which, uint64_t number) {
    std::string one;
    protowire::put_sfixed64(one, kWindow, which.first);
    protowire::put_uint64(one, kGroupOf, which.second);
    protowire::put_uint64(one, kNumber, number);
    protowire::put_message(out, field, one);
  };
  for (const auto& [which, number] : revisions_) put(kRevision, which, number);
  for (const auto& which : corrections_) put(kCorrection, which, 0);
  protowire::put_uint64(out, kTooLate, left_out_.too_late);
  protowire::put_uint64(out, kAhead, left_out_.ahead);
  protowire::put_uint64(out, kRefused, left_out_.refused);
  protowire::put_sfixed64(out, kLogSecond, pace_.log_second_ns);
  protowire::put_sfixed64(out, kCorrectedAt, pace_.corrected_at_ns);
}

Status PartitionWindows::decode_pane(std::string_view bytes) {
  int64_t start = 0;
  std::string_view rest = bytes;
  Pane pane;
  protowire::Reader reader(rest);
  while (const auto field = reader.next()) {
    if (field->number == kStart) start = field->as_signed();
    if (field->number != kCell) continue;
    uint64_t group = 0;
    std::string_view content;
    protowire::Reader inner(field->bytes);
    while (const auto part = inner.next()) {
      if (part->number == kGroup) group = part->value;
      if (part->number == kContent) content = part->bytes;
    }
    if (inner.failed() || group > UINT32_MAX || !groups_.has_group(static_cast<uint32_t>(group))) {
      return malformed("a cell without a group");
    }
    auto cell = Cell::decode(content, groups_.series_bound());
    if (!cell) return cell.error();
    if (pane.cells.size() < groups_.groups_bound()) pane.cells.resize(groups_.groups_bound());
    if (pane.cells[group]) return malformed("a cell occurs twice");
    pane.cells[group] = std::make_unique<Cell>(std::move(*cell));
    if (++cell_count_ > spec_.max_cells) return malformed("it has too many cells");
  }
  constexpr int64_t kLatest = INT64_MAX / 2;  // leaves room for sums
  if (reader.failed() || pane.cells.empty()) return malformed("a pane is malformed");
  if (start < -kLatest || start > kLatest || floor_to(start, pane_ns_) != start) {
    return malformed("a pane starts at a wrong time");
  }
  for (const auto& cell : pane.cells) {
    if (cell && !cell->is_within(start, start + pane_ns_)) return malformed("a cell has a time outside its pane");
  }
  if (!panes_.emplace(start, std::move(pane)).second) return malformed("a pane occurs twice");
  return {};
}

Status PartitionWindows::decode_revision(std::string_view bytes, bool pending) {
  std::pair<int64_t, uint32_t> which{0, 0};
  uint64_t number = 0;
  protowire::Reader reader(bytes);
  while (const auto field = reader.next()) {
    if (field->number == kWindow) which.first = field->as_signed();
    if (field->number == kGroupOf && field->value > UINT32_MAX) return malformed("a revision's group is out of range");
    if (field->number == kGroupOf) which.second = static_cast<uint32_t>(field->value);
    if (field->number == kNumber) number = field->value;
  }
  constexpr int64_t kLatest = INT64_MAX / 2;
  const bool in_range =
      which.first >= -kLatest && which.first <= kLatest && floor_to(which.first, spec_.slide_ns) == which.first;
  if (reader.failed() || number > UINT32_MAX || !in_range || !groups_.has_group(which.second)) {
    return malformed("a revision is malformed");
  }
  if (pending) {
    corrections_.insert(which);
  } else {
    revisions_[which] = static_cast<uint32_t>(number);
  }
  return {};
}

// The fields that are single numbers.
void PartitionWindows::decode_number(const protowire::Field& field) {
  switch (field.number) {
    case kTakenUntil:
      taken_until_ns_ = field.as_signed();
      break;
    case kWholeFrom:
      whole_from_ns_ = field.as_signed();
      break;
    case kUnread:
      unread_before_first_ = field.value != 0;
      break;
    case kTooLate:
      left_out_.too_late = field.value;
      break;
    case kAhead:
      left_out_.ahead = field.value;
      break;
    case kRefused:
      left_out_.refused = field.value;
      break;
    case kLogSecond:
      pace_.log_second_ns = field.as_signed();
      break;
    case kCorrectedAt:
      pace_.corrected_at_ns = field.as_signed();
      break;
    default:
      break;
  }
}

Result<PartitionWindows> PartitionWindows::decode(std::string_view bytes, const AggregateSpec& spec) {
  PartitionWindows windows(spec);
  // A time that is not there is 0, which is not written.
  windows.taken_until_ns_ = windows.whole_from_ns_ = 0;
  windows.pace_ = {.log_second_ns = 0, .corrected_at_ns = 0};
  if (Status none = windows.progress_.decode({}); !none) return none.error();
  std::string fingerprint;
  protowire::Reader reader(bytes);
  while (const auto field = reader.next()) {
    if (field->number != kFingerprint && fingerprint.empty()) return malformed("a snapshot without its settings");
    Status read;
    switch (field->number) {
      case kFingerprint:
        fingerprint = field->bytes;
        if (fingerprint != spec.fingerprint()) {
          return Error(Code::kDataLoss, "the group's windows were made with " + fingerprint + ", not with " +
                                            spec.fingerprint() + "; another --group-id has its own windows");
        }
        break;
      case kGroups:
        read = windows.groups_.decode(field->bytes);
        break;
      case kProgress:
        read = windows.progress_.decode(field->bytes);
        break;
      case kPane:
        read = windows.decode_pane(field->bytes);
        break;
      case kRevision:
      case kCorrection:
        read = windows.decode_revision(field->bytes, field->number == kCorrection);
        break;
      default:
        windows.decode_number(*field);
        break;
    }
    if (!read) return read.error();
  }
  if (reader.failed() || fingerprint.empty()) return malformed("a snapshot is cut off");
  if (!windows.panes_.empty()) windows.groups_.use_all(windows.panes_.rbegin()->first);
  return windows;
}

}  // namespace monitor::analysis
