#include "spool/checkpoint.h"

#include <algorithm>
#include <array>

#include "base/crc32c.h"
#include "base/log.h"
#include "base/protowire.h"
#include "metrics/decode.h"
#include "metrics/encode.h"
#include "spool/format.h"

namespace monitor::agent {

namespace {

using namespace little_endian;
using namespace protowire;

constexpr std::string_view kMagic{"MONCKPT\0", 8};
constexpr uint32_t kVersion = 1;

Error malformed(std::string_view what) {
  return Error(Code::kDataLoss, "checkpoint: " + std::string(what) + " is malformed");
}

void put_incarnation(std::string& out, const IncarnationState& state, bool whole) {
  std::string bytes;
  put_bytes(bytes, 1, state.incarnation);
  std::string packed;
  uint64_t next = 1;
  for (const auto& [first, last] : state.settled.intervals()) {
    put_varint(packed, first - next);
    put_varint(packed, last - first + 1);
    next = last + 1;
    if (!whole) break;
  }
  put_bytes(bytes, 2, packed);
  put_uint64(bytes, 3, state.last_sequence);
  put_sfixed64(bytes, 4, state.last_time_ns);
  put_uint64(bytes, 5, state.end_reported ? 1 : 0);
  put_uint64(bytes, 6, state.clean ? 1 : 0);
  put_message(out, 2, bytes);
}

std::string encode(const Checkpoint& checkpoint, size_t most, bool whole) {
  std::string out;
  put_uint64(out, 1, checkpoint.segment);
  // The newest incarnations are at the end, with the running one last.
  const auto& all = checkpoint.incarnations;
  for (size_t i = all.size() - std::min(all.size(), most); i < all.size(); ++i) put_incarnation(out, all[i], whole);
  const PendingReports& reports = checkpoint.reports;
  for (size_t i = 0; i < std::min(reports.drops.size(), most); ++i) {
    put_message(out, 3, metrics::encode_drop(reports.drops[i]));
  }
  for (size_t i = 0; i < std::min(reports.ended.size(), most); ++i) {
    put_message(out, 4, metrics::encode_end(reports.ended[i]));
  }
  if (!reports.log.empty()) put_bytes(out, 5, reports.log);
  for (size_t i = 0; i < std::min(reports.elsewhere.size(), most); ++i) {
    put_message(out, 6, metrics::encode_elsewhere(reports.elsewhere[i]));
  }
  return out;
}

bool read_settled(std::string_view packed, IntervalSet& settled) {
  Reader reader(packed);
  uint64_t next = 1;
  while (const auto skipped = reader.varint()) {
    const auto count = reader.varint();
    constexpr uint64_t kMost = INT64_MAX;
    if (!count || *count == 0 || *skipped > kMost || *count > kMost || next > kMost) return false;
    const uint64_t first = next + *skipped;
    settled.add(first, first + *count - 1);
    next = first + *count;
  }
  return !reader.failed();
}

Result<IncarnationState> read_incarnation(std::string_view bytes) {
  IncarnationState state;
  Reader reader(bytes);
  while (const auto field = reader.next()) {
    switch (field->number) {
      case 1:
        state.incarnation = field->bytes;
        break;
      case 2:
        if (!read_settled(field->bytes, state.settled)) return malformed("a list of settled sequences");
        break;
      case 3:
        state.last_sequence = field->value;
        break;
      case 4:
        state.last_time_ns = field->as_signed();
        break;
      case 5:
        state.end_reported = field->value != 0;
        break;
      case 6:
        state.clean = field->value != 0;
        break;
      default:
        break;
    }
  }
  constexpr uint64_t kMost = INT64_MAX;
  if (state.last_sequence > kMost || state.settled.last() > kMost) return malformed("a sequence");
  if (reader.failed() || state.incarnation.size() != metrics::kIncarnationBytes) return malformed("an incarnation");
  return state;
}

template <typename T>
Status take(Result<T> part, std::vector<T>& into) {
  if (!part) return part.error();
  into.push_back(std::move(*part));
  return {};
}

Status fill_with_zeros(DiskFile& file, uint64_t from) {
  const std::string zeros(65536, '\0');
  uint64_t at = from;
  while (at < 2 * kCheckpointSlotBytes) {
    const uint64_t count = std::min<uint64_t>(zeros.size(), 2 * kCheckpointSlotBytes - at);
    const auto n = file.write_at(at, std::string_view(zeros).substr(0, count));
    if (!n) return n.error();
    if (*n == 0) return Error(Code::kDataLoss, "checkpoint: the disk accepts no bytes");
    at += *n;
  }
  return {};
}

}  // namespace

std::string encode_checkpoint(const Checkpoint& checkpoint) {
  bool whole = true;
  for (size_t most = SIZE_MAX;; whole = false) {
    std::string out = encode(checkpoint, most, whole);
    if (out.size() <= kMaxCheckpointBytes) return out;
    if (!whole) most = most == SIZE_MAX ? 1024 : most / 2;
  }
}

Result<Checkpoint> parse_checkpoint(std::string_view content) {
  Checkpoint checkpoint;
  Reader reader(content);
  while (const auto field = reader.next()) {
    Status status;
    if (field->number == 1) checkpoint.segment = field->value;
    if (field->number == 2) status = take(read_incarnation(field->bytes), checkpoint.incarnations);
    if (field->number == 3) status = take(metrics::decode_drop(field->bytes), checkpoint.reports.drops);
    if (field->number == 4) status = take(metrics::decode_end(field->bytes), checkpoint.reports.ended);
    if (field->number == 5) checkpoint.reports.log = field->bytes;
    if (field->number == 6) status = take(metrics::decode_elsewhere(field->bytes), checkpoint.reports.elsewhere);
    if (!status) return status.error();
  }
  if (reader.failed() || checkpoint.segment > kMaxSegmentNumber) return malformed("its content");
  return checkpoint;
}

std::string encode_checkpoint_slot(uint64_t generation, std::string_view content) {
  std::string out(kMagic);
  put32(out, kVersion);
  put32(out, static_cast<uint32_t>(content.size()));
  put64(out, generation);
  put32(out, crc32c(content));
  put32(out, crc32c(out));
  out += content;
  return out;
}

std::optional<CheckpointSlot> parse_checkpoint_slot(std::string_view bytes) {
  if (bytes.size() < kCheckpointSlotHeaderBytes || !bytes.starts_with(kMagic)) return std::nullopt;
  if (get32(bytes, 28) != crc32c(bytes.substr(0, 28))) return std::nullopt;
  CheckpointSlot slot;
  slot.generation = get64(bytes, 16);
  if (get32(bytes, 8) > kVersion) {
    slot.newer = true;
    return slot;
  }
  const uint64_t length = get32(bytes, 12);
  if (length > bytes.size() - kCheckpointSlotHeaderBytes) return std::nullopt;
  slot.content = bytes.substr(kCheckpointSlotHeaderBytes, length);
  if (get32(bytes, 24) != crc32c(slot.content)) return std::nullopt;
  return slot;
}

namespace {

// Reads the used part of a slot. Retries once after an error; a slot that cannot be read counts as invalid, and
// `status` says so.
std::string read_slot(DiskFile& file, int slot, Status& status) {
  const uint64_t at = static_cast<uint64_t>(slot) * kCheckpointSlotBytes;
  const auto read = [&](size_t size) {
    std::string bytes(size, '\0');
    auto n = file.read_at(at, bytes.data(), size);
    if (!n) n = file.read_at(at, bytes.data(), size);
    if (!n) status = n.error();
    bytes.resize(n ? *n : 0);
    return bytes;
  };
  const std::string head = read(kCheckpointSlotHeaderBytes);
  if (head.size() < kCheckpointSlotHeaderBytes || !head.starts_with(kMagic)) return {};
  const size_t length = get32(head, 12);
  return length > kMaxCheckpointBytes ? head : read(kCheckpointSlotHeaderBytes + length);
}

}  // namespace

CheckpointContent read_checkpoint(DiskFile& file) {
  CheckpointContent result;
  for (const int i : {0, 1}) {
    const std::string bytes = read_slot(file, i, result.status);
    const auto slot = parse_checkpoint_slot(bytes);
    if (!slot) continue;
    result.newer = result.newer || slot->newer;
    if (slot->newer || slot->generation <= result.generation) continue;
    auto parsed = parse_checkpoint(slot->content);
    if (!parsed) continue;
    result.checkpoint = std::move(*parsed);
    result.generation = slot->generation;
    result.slot = i;
  }
  return result;
}

Status CheckpointWrite::run() const {
  const uint64_t at = static_cast<uint64_t>(slot) * kCheckpointSlotBytes;
  const auto n = file->write_at(at, bytes);
  if (!n) return n.error();
  if (*n != bytes.size()) return Error(Code::kDataLoss, "checkpoint: a write was cut short");
  return sync ? file->sync() : Status();
}

CheckpointFile::CheckpointFile(std::shared_ptr<DiskFile> file, CheckpointContent content)
    : file_(std::move(file)),
      content_(std::move(content)),
      generation_(content_.generation),
      synced_slot_(content_.slot) {}

Result<CheckpointFile> CheckpointFile::open(FileDisk& disk, const std::string& folder, Unreadable unreadable) {
  const std::string path = folder + "/checkpoint";
  auto file = disk.open_file(path, FileDisk::Open::kWrite);
  CheckpointContent content;
  if (file) {
    content = read_checkpoint(**file);
    if (!content.status && unreadable == Unreadable::kIsError) return content.status.error();
    if (content.newer) {
      log_warning("checkpoint of a newer version is set aside",
                  {{"path", path + ".newer"}, {"next", "waiting batches are sent again"}});
      if (const Status s = disk.rename_file(path, path + ".newer"); !s) return s.error();
      content = {};
      file = Error(Code::kNotFound, "set aside");
    }
  }
  const bool made = !file && file.error().code() == Code::kNotFound;
  if (made) file = disk.open_file(path, FileDisk::Open::kCreate);
  if (!file) return file.error();
  const auto size = (*file)->size();
  if (size && *size < 2 * kCheckpointSlotBytes) {
    const Status filled = fill_with_zeros(**file, *size);
    if (!filled && made) {
      // An incomplete file would be mistaken for a complete one.
      (void)disk.remove_file(path);
      return filled.error();
    }
  }
  if (made) {
    if (const Status s = disk.sync_folder(folder); !s) return s.error();
  }
  // From now on the slot counts as synced, although the previous process may not have synced it.
  (void)(*file)->sync();
  return CheckpointFile(std::shared_ptr<DiskFile>(std::move(*file)), std::move(content));
}

CheckpointWrite CheckpointFile::prepare(const Checkpoint& checkpoint, bool sync) {
  CheckpointWrite write;
  write.file = file_;
  write.slot = 1 - synced_slot_;
  write.sync = sync;
  write.bytes = encode_checkpoint_slot(++generation_, encode_checkpoint(checkpoint));
  return write;
}

void CheckpointFile::done(const CheckpointWrite& write, const Status& status) {
  if (status && write.sync) synced_slot_ = write.slot;
}

}  // namespace monitor::agent
