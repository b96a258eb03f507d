#include "spool/file_spool.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "stream/messages.h"

namespace monitor::agent {

namespace {

// As many as leave a batch's envelope small; those of the others follow when these are done.
constexpr size_t kMaxOlder = 64;
constexpr int kMaxReadFailures = 10;
constexpr int64_t kRetryCap = 60 * kNanosPerSecond;
constexpr uint64_t kLeastSegment = uint64_t{64} * 1024;
constexpr uint64_t kMostSegment = uint64_t{8} * 1024 * 1024;

}  // namespace

uint64_t FileSpool::segment_bytes_for(const FileSpoolOptions& options) {
  if (options.segment_bytes != 0) return options.segment_bytes;
  return std::clamp(options.max_bytes / 32, kLeastSegment, kMostSegment);
}

FileSpool::FileSpool(FileDisk& disk, Timers& timers, Worker& worker, SpoolListener& listener, FileSpoolOptions options)
    : disk_(disk),
      timers_(timers),
      worker_(worker),
      listener_(listener),
      options_(std::move(options)),
      trusted_(timers.clock(),
               {.confirm_ns = TrustedClock::confirm_for(options_.max_age_ns), .start = options_.clock_start}),
      segment_bytes_(segment_bytes_for(options_)) {
  book_.entry(options_.incarnation);
}

FileSpool::~FileSpool() {
  for (const auto timer : {retry_timer_, sync_timer_, read_timer_, keep_timer_}) timers_.cancel_timer(timer);
}

Status FileSpool::append(BatchInfo info, std::string bytes) {
  drop_old();
  const uint64_t sequence = info.sequence;
  const uint64_t record = kRecordHeaderBytes + bytes.size();
  if (bytes.size() > kMaxPayloadBytes || !make_room(record, bytes.size())) {
    Error error(Code::kResourceExhausted, fmt::format("spool {}: a batch of {} bytes does not fit into {} bytes",
                                                      options_.folder, bytes.size(), options_.max_bytes));
    book_.wait(info.incarnation, sequence, info.last_time_ns);
    lose(drop_of(info, metrics::stage::kSpool,
                 bytes.size() > kMaxPayloadBytes ? metrics::reason::kTooLarge : metrics::reason::kFull));
    return error;
  }
  const bool was_caught_up = caught_up();
  book_.wait(info.incarnation, sequence, info.last_time_ns);
  Kept& kept = kept_[sequence];
  kept = {std::move(info), std::move(bytes), {}, false};
  ++memory_batches_;
  memory_used_ += kept.bytes.size();
  store_or_wait(kept);
  enqueue(kept, was_caught_up);
  return {};
}

void FileSpool::enqueue(const Kept& kept, bool was_caught_up) {
  Ref ref{kept.info, kept.at, kept.bytes.size()};
  if (was_caught_up && kept.at.segment != 0) {
    cursor_ = {writer_->number(), writer_->size()};
    scanner_.reset();
  }
  auto left_out = outbox_.push_fresh(std::move(ref));
  if (!left_out) return;
  // It is found again by reading.
  if (left_out->at.segment == 0) {
    memory_cursor_ = std::min(memory_cursor_, left_out->info.sequence);
  } else if (left_out->at < cursor_) {
    cursor_ = left_out->at;
    scanner_.reset();
  }
  release(left_out->info.sequence);
}

bool FileSpool::caught_up() const {
  const auto it = segments_.lower_bound(cursor_.segment);
  if (it == segments_.end()) return true;
  return std::next(it) == segments_.end() && it->first == cursor_.segment && cursor_.offset >= it->second.size;
}

uint64_t FileSpool::first_unacked(const std::string& incarnation, uint64_t next_sequence) const {
  const Book::Entry* const entry = book_.find(incarnation);
  if (entry == nullptr || entry->waiting.empty()) return next_sequence;
  return std::min(next_sequence, entry->waiting.first());
}

std::vector<metrics::OlderIncarnation> FileSpool::older(const std::string& incarnation) const {
  std::vector<metrics::OlderIncarnation> result;
  for (const Book::Entry& entry : book_.entries()) {
    if (entry.incarnation == incarnation || entry.waiting.empty()) continue;
    result.push_back({entry.incarnation, entry.waiting.first()});
    if (result.size() == kMaxOlder) break;
  }
  return result;
}

int64_t FileSpool::oldest_time_ns() const {
  const uint64_t waiting = book_.waiting();
  if (waiting == 0) return 0;
  int64_t oldest = outbox_.oldest_time_ns();
  if (waiting > outbox_.size()) {
    const auto it = segments_.lower_bound(cursor_.segment);
    if (it != segments_.end()) {
      const bool begun = it->first == cursor_.segment && cursor_time_ns_ != 0;
      oldest = std::min(oldest, begun ? cursor_time_ns_ : it->second.first_time_ns);
    }
  }
  return oldest == INT64_MAX ? 0 : oldest;
}

SpoolStats FileSpool::stats() const {
  SpoolStats stats = stats_;
  stats.on_disk = lock_ != nullptr && retry_timer_ == 0;
  stats.segments = segments_.size();
  stats.disk_bytes = disk_bytes_;
  stats.memory_batches = memory_batches_;
  return stats;
}

std::optional<stream::Outgoing> FileSpool::next() {
  if (!has_unsent()) return std::nullopt;
  if (auto fresh = send_fresh()) return fresh;
  if (!outbox_.may_replay() || read_timer_ != 0) return std::nullopt;
  if (auto returned = send_returned()) return returned;
  if (read_timer_ != 0) return std::nullopt;
  if (auto replayed = replay_disk()) return replayed;
  return replay_memory();
}

// In the mode `batch` nothing is sent that a loss of power could take.
bool FileSpool::sendable(uint64_t sequence) const {
  if (options_.sync != SpoolSync::kBatch) return true;
  const auto it = kept_.find(sequence);
  return it == kept_.end() || it->second.synced || it->second.at.segment == 0;
}

std::optional<stream::Outgoing> FileSpool::send_fresh() {
  const Ref* const fresh = outbox_.fresh();
  if (fresh == nullptr || !sendable(fresh->info.sequence)) return std::nullopt;
  const uint64_t sequence = fresh->info.sequence;
  out_ = kept_.at(sequence).bytes;
  const uint64_t id = outbox_.send_fresh(mono());
  release(sequence);
  return stream::Outgoing{id, out_};
}

std::optional<stream::Outgoing> FileSpool::send_returned() {
  while (const Ref* const ref = outbox_.returned()) {
    const auto read = read_record(*ref);
    if (!read && read_failures_ <= kMaxReadFailures) {
      reading_failed(read.error());
      return std::nullopt;
    }
    if (read && *read) return stream::Outgoing{outbox_.send_returned(mono()), out_};
    // It was there when it was written or read before.
    const BatchInfo info = ref->info;
    const auto segment = segments_.find(ref->at.segment);
    outbox_.forget(info.incarnation, info.sequence, info.sequence);
    if (segment != segments_.end()) {
      damaged(segment->second, info);
    } else {
      lose(drop_of(info, metrics::stage::kSpool, metrics::reason::kDamaged));
    }
  }
  return std::nullopt;
}

// Into out_; false when it is damaged.
Result<bool> FileSpool::read_record(const Ref& ref) {
  if (ref.info.incarnation == options_.incarnation) {
    const auto kept = kept_.find(ref.info.sequence);
    if (kept != kept_.end()) {
      out_ = kept->second.bytes;
      return true;
    }
  }
  const auto segment = segments_.find(ref.at.segment);
  if (segment == segments_.end()) return false;
  const auto file = file_of(ref.at.segment);
  if (!file) return file.error();
  SegmentScanner scanner(**file, ref.at.segment, segment->second.size, ref.at.offset, SegmentScanner::Read::kPayloads);
  if (read_failures_ >= kMaxReadFailures) scanner.give_up();
  const auto found = scanner.next();
  if (!found) return found.error();
  if (found->kind != Found::Kind::kRecord || !found->intact) return false;
  if (found->header.sequence != ref.info.sequence || found->header.incarnation != ref.info.incarnation) return false;
  out_ = found->payload;
  read_failures_ = 0;
  return true;
}

Result<std::shared_ptr<DiskFile>> FileSpool::file_of(uint64_t segment) {
  if (writer_ && writer_->number() == segment) return writer_->file();
  if (open_file_.second && open_file_.first == segment) return open_file_.second;
  auto file = disk_.open_file(options_.folder + "/" + segment_name(segment), FileDisk::Open::kRead);
  if (!file) return file.error();
  open_file_ = {segment, std::shared_ptr<DiskFile>(std::move(*file))};
  return open_file_.second;
}

// Nothing is given up for it: reading is tried again later; only after many failures is what cannot be read damage.
void FileSpool::reading_failed(const Error& error) {
  ++stats_.disk_errors;
  ++read_failures_;
  const int64_t wait = std::min(kRetryCap, kNanosPerSecond << std::min(read_failures_ - 1, 6));
  log_error("spool cannot be read; what comes is sent, what waits is tried again",
            {{"folder", options_.folder}, {"reason", error}, {"wait_ms", wait / kNanosPerMilli}});
  read_timer_ = timers_.call_after(wait, [this] {
    read_timer_ = 0;
    if (wake_) wake_();
  });
}

// To the next segment in which something waits that stands nowhere; false at the end.
bool FileSpool::seek_segment() {
  while (true) {
    const auto it = segments_.lower_bound(cursor_.segment);
    if (it == segments_.end()) return false;
    SegmentInfo& segment = it->second;
    if (scanner_ && it->first == cursor_.segment && cursor_.offset < segment.size) return true;
    if (it->first != cursor_.segment) {
      cursor_ = {it->first, segment.begin};
      cursor_time_ns_ = 0;
      scanner_.reset();
    }
    const bool last = writer_ && writer_->number() == it->first;
    bool useful = false;
    if (!dead_.contains(it->first) && cursor_.offset < segment.size) {
      useful = !unsent_in(segment).empty();
    }
    if (useful) return true;
    if (last) {
      cursor_.offset = segment.size;
      scanner_.reset();
      return false;
    }
    pass_segment(segment);
  }
}

// What waits in it and stands nowhere.
SequenceSet FileSpool::unsent_in(const SegmentInfo& segment) const {
  const Book::Entry* const entry = book_.find(segment.incarnation);
  if (entry == nullptr || entry->waiting.empty()) return {};
  SequenceSet here = entry->waiting.intersection(segment.sequences);
  here.remove(outbox_.standing(segment.incarnation));
  return here;
}

// What should have been in it, and stands nowhere, was not found.
void FileSpool::pass_segment(SegmentInfo& segment) {
  scanner_.reset();
  cursor_file_.reset();
  cursor_ = {segment.number + 1, 0};
  if (dead_.contains(segment.number)) return;
  SequenceSet missing = unsent_in(segment);
  if (missing.empty()) return;
  segment.sequences.remove(missing);
  missing.remove(elsewhere(segment));
  lose_each(missing, {}, segment.incarnation, metrics::reason::kDamaged);
}

std::optional<stream::Outgoing> FileSpool::replay_disk() {
  while (seek_segment()) {
    SegmentInfo& segment = segments_.at(cursor_.segment);
    if (!scanner_) {
      auto file = file_of(segment.number);
      if (!file) {
        reading_failed(file.error());
        if (read_failures_ > kMaxReadFailures) pass_segment(segment);
        return std::nullopt;
      }
      cursor_file_ = std::move(*file);
      scanner_.emplace(*cursor_file_, segment.number, segment.size, cursor_.offset, SegmentScanner::Read::kPayloads);
      if (read_failures_ >= kMaxReadFailures) scanner_->give_up();
    }
    scanner_->set_size(segment.size);
    const auto found = scanner_->next();
    if (!found) {
      scanner_.reset();
      open_file_ = {};
      reading_failed(found.error());
      return std::nullopt;
    }
    cursor_.offset = scanner_->offset();
    read_failures_ = 0;
    if (found->kind == Found::Kind::kEnd) {
      cursor_.offset = segment.size;
      continue;
    }
    if (found->kind == Found::Kind::kDamage) stats_.damaged_bytes += found->bytes;
    if (found->kind != Found::Kind::kRecord || found->header.kind != RecordKind::kBatch) continue;
    if (found->header.incarnation == options_.incarnation && !sendable(found->header.sequence)) {
      cursor_.offset = found->offset;
      scanner_.reset();
      return std::nullopt;
    }
    if (auto outgoing = offer(*found)) return outgoing;
  }
  return std::nullopt;
}

std::optional<stream::Outgoing> FileSpool::offer(const Found& found) {
  const BatchInfo info = batch_info(found.header);
  if (info.last_time_ns != 0) cursor_time_ns_ = info.last_time_ns;
  if (!book_.waits(info.incarnation, info.sequence) || outbox_.has(info.incarnation, info.sequence))
    return std::nullopt;
  SegmentInfo& segment = segments_.at(cursor_.segment);
  if (!found.intact) {
    stats_.damaged_bytes += found.bytes;
    damaged(segment, info);
    return std::nullopt;
  }
  if (info.appended_ns < trusted_.now_ns() - options_.max_age_ns) {
    lose(drop_of(info, metrics::stage::kSpool, metrics::reason::kTooOld));
    return std::nullopt;
  }
  out_ = found.payload;
  Ref ref{info, {cursor_.segment, found.offset}, found.payload.size()};
  return stream::Outgoing{outbox_.send_replayed(std::move(ref), mono()), out_};
}

std::optional<stream::Outgoing> FileSpool::replay_memory() {
  for (auto it = kept_.lower_bound(memory_cursor_); it != kept_.end(); ++it) {
    const Kept& kept = it->second;
    if (kept.at.segment != 0 || outbox_.has(kept.info.incarnation, kept.info.sequence)) continue;
    memory_cursor_ = it->first;
    out_ = kept.bytes;
    return stream::Outgoing{outbox_.send_replayed({kept.info, {}, kept.bytes.size()}, mono()), out_};
  }
  memory_cursor_ = UINT64_MAX;
  return std::nullopt;
}

void FileSpool::acknowledged(uint64_t id) {
  const auto ref = outbox_.acknowledged(id, mono());
  if (!ref) return;  // dropped meanwhile; stored beats dropped at the reader
  settle(ref->info.incarnation, ref->info.sequence);
  listener_.on_stored(ref->info);
}

void FileSpool::rejected(uint64_t id, std::string_view reason) {
  const auto ref = outbox_.rejected(id);
  if (!ref) return;
  log_warning("batch refused by the server", {{"sequence", ref->info.sequence}, {"reason", reason}});
  lose(drop_of(ref->info, metrics::stage::kServer, stream::reject_word(reason)));
}

}  // namespace monitor::agent
