#include "spool/spool_reader.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace monitor::agent {

namespace {

constexpr int kMaxReadFailures = 10;
constexpr int64_t kRetryCap = 60 * kNanosPerSecond;

}  // namespace

SpoolReader::SpoolReader(SegmentStore& store, BatchTracker& tracker, Timers& timers, TrustedClock& trusted,
                         SpoolReaderOptions options)
    : store_(store), tracker_(tracker), timers_(timers), trusted_(trusted), options_(std::move(options)) {}

void SpoolReader::close() { timers_.cancel_timer(std::exchange(read_timer_, 0)); }

std::optional<stream::Outgoing> SpoolReader::next() {
  if (tracker_.index().waiting() <= tracker_.queue().in_flight()) return std::nullopt;
  if (auto fresh = send_fresh()) return fresh;
  if (!tracker_.queue().may_replay() || read_timer_ != 0) return std::nullopt;
  if (auto returned = send_returned()) return returned;
  if (read_timer_ != 0) return std::nullopt;
  if (auto replayed = replay_disk()) return replayed;
  return replay_memory();
}

bool SpoolReader::caught_up() const {
  const auto& segments = store_.segments();
  const auto it = segments.lower_bound(cursor_.segment);
  if (it == segments.end()) return true;
  return std::next(it) == segments.end() && it->first == cursor_.segment && cursor_.offset >= it->second.size;
}

void SpoolReader::added(const KeptBatch& batch, bool was_caught_up) {
  RecordRef ref{batch.info, batch.at, batch.bytes.size()};
  if (was_caught_up && batch.at.segment != 0) {
    cursor_ = {store_.writer()->number(), store_.writer()->size()};
    scanner_.reset();
  }
  const auto left_out = tracker_.queue().push_fresh(std::move(ref));
  if (!left_out) return;
  // The cursor must find the batch again.
  if (left_out->at.segment == 0) {
    not_stored(left_out->info.sequence);
  } else if (left_out->at < cursor_) {
    cursor_ = left_out->at;
    scanner_.reset();
  }
  tracker_.release(left_out->info.sequence);
}

void SpoolReader::not_stored(uint64_t sequence) { memory_cursor_ = std::min(memory_cursor_, sequence); }

void SpoolReader::segment_dropped(uint64_t number) {
  if (cursor_.segment != number) return;
  cursor_ = {number + 1, 0};
  scanner_.reset();
  cursor_file_.reset();
}

int64_t SpoolReader::oldest_time_ns() const {
  const uint64_t waiting = tracker_.index().waiting();
  if (waiting == 0) return 0;
  int64_t oldest = tracker_.queue().oldest_time_ns();
  if (waiting > tracker_.queue().size()) {
    const auto it = store_.segments().lower_bound(cursor_.segment);
    if (it != store_.segments().end()) {
      const bool begun = it->first == cursor_.segment && cursor_time_ns_ != 0;
      oldest = std::min(oldest, begun ? cursor_time_ns_ : it->second.first_time_ns);
    }
  }
  return oldest == INT64_MAX ? 0 : oldest;
}

bool SpoolReader::sendable(uint64_t sequence) {
  if (!options_.only_synced) return true;
  const KeptBatch* const kept = tracker_.find_kept(sequence);
  return kept == nullptr || kept->synced || kept->at.segment == 0;
}

std::optional<stream::Outgoing> SpoolReader::send_fresh() {
  const RecordRef* const fresh = tracker_.queue().fresh();
  if (fresh == nullptr || !sendable(fresh->info.sequence)) return std::nullopt;
  const uint64_t sequence = fresh->info.sequence;
  out_ = tracker_.kept().at(sequence).bytes;
  const uint64_t id = tracker_.queue().send_fresh(mono());
  tracker_.release(sequence);
  return stream::Outgoing{id, out_};
}

std::optional<stream::Outgoing> SpoolReader::send_returned() {
  SendQueue& queue = tracker_.queue();
  while (const RecordRef* const ref = queue.returned()) {
    const auto read = read_record(*ref);
    if (!read && read_failures_ <= kMaxReadFailures) {
      reading_failed(read.error());
      return std::nullopt;
    }
    if (read && *read) return stream::Outgoing{queue.send_returned(mono()), out_};
    // The record was valid when it was written, or read before.
    const BatchInfo info = ref->info;
    const auto segment = store_.segments().find(ref->at.segment);
    queue.forget(info.incarnation, info.sequence, info.sequence);
    if (segment != store_.segments().end()) {
      tracker_.lose_damaged(segment->second, info);
    } else {
      tracker_.lose(drop_of(info, metrics::stage::kSpool, metrics::reason::kDamaged));
    }
  }
  return std::nullopt;
}

// Reads a record into out_; returns false if it is damaged.
Result<bool> SpoolReader::read_record(const RecordRef& ref) {
  if (ref.info.incarnation == tracker_.incarnation()) {
    if (const KeptBatch* const kept = tracker_.find_kept(ref.info.sequence)) {
      out_ = kept->bytes;
      return true;
    }
  }
  const auto segment = store_.segments().find(ref.at.segment);
  if (segment == store_.segments().end()) return false;
  const auto file = store_.file_of(ref.at.segment);
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

// Drops nothing: the read is retried later. Only after many failures do unreadable records count as damaged.
void SpoolReader::reading_failed(const Error& error) {
  ++disk_errors_;
  ++read_failures_;
  const int64_t wait = std::min(kRetryCap, kNanosPerSecond << std::min(read_failures_ - 1, 6));
  log_error("spool cannot be read; new batches are sent, and the backlog is retried",
            {{"folder", options_.folder}, {"reason", error}, {"wait_ms", wait / kNanosPerMilli}});
  read_timer_ = timers_.call_after(wait, [this] {
    read_timer_ = 0;
    if (options_.wake) options_.wake();
  });
}

// Moves the cursor to the next segment with a waiting batch that is not in the send queue; returns false at the end.
bool SpoolReader::seek_segment() {
  while (true) {
    const auto it = store_.segments().lower_bound(cursor_.segment);
    if (it == store_.segments().end()) return false;
    SegmentInfo& segment = it->second;
    if (scanner_ && it->first == cursor_.segment && cursor_.offset < segment.size) return true;
    if (it->first != cursor_.segment) {
      cursor_ = {it->first, segment.begin};
      cursor_time_ns_ = 0;
      scanner_.reset();
    }
    const bool last = store_.is_written(it->first);
    bool useful = false;
    if (!store_.is_retired(it->first) && cursor_.offset < segment.size) {
      useful = !tracker_.unsent_in(segment).empty();
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

// Leaves a segment. Batches that wait in it, are not in the send queue, and were not found, count as damaged.
void SpoolReader::pass_segment(SegmentInfo& segment) {
  scanner_.reset();
  cursor_file_.reset();
  cursor_ = {segment.number + 1, 0};
  if (store_.is_retired(segment.number)) return;
  IntervalSet missing = tracker_.unsent_in(segment);
  if (missing.empty()) return;
  segment.sequences.remove(missing);
  missing.remove(tracker_.elsewhere(segment));
  tracker_.lose_each(missing, {}, segment.incarnation, metrics::reason::kDamaged);
}

bool SpoolReader::open_scanner(SegmentInfo& segment) {
  if (!scanner_) {
    auto file = store_.file_of(segment.number);
    if (!file) {
      reading_failed(file.error());
      if (read_failures_ > kMaxReadFailures) pass_segment(segment);
      return false;
    }
    cursor_file_ = std::move(*file);
    scanner_.emplace(*cursor_file_, segment.number, segment.size, cursor_.offset, SegmentScanner::Read::kPayloads);
    if (read_failures_ >= kMaxReadFailures) scanner_->give_up();
  }
  scanner_->set_size(segment.size);
  return true;
}

std::optional<stream::Outgoing> SpoolReader::replay_disk() {
  while (seek_segment()) {
    SegmentInfo& segment = store_.segments().at(cursor_.segment);
    if (!open_scanner(segment)) return std::nullopt;
    const auto found = scanner_->next();
    if (!found) {
      scanner_.reset();
      store_.close_file();
      reading_failed(found.error());
      return std::nullopt;
    }
    cursor_.offset = scanner_->offset();
    read_failures_ = 0;
    if (found->kind == Found::Kind::kEnd) {
      cursor_.offset = segment.size;
      continue;
    }
    if (found->kind == Found::Kind::kDamage) damaged_bytes_ += found->bytes;
    if (found->kind != Found::Kind::kRecord || found->header.kind != RecordKind::kBatch) continue;
    if (found->header.incarnation == tracker_.incarnation() && !sendable(found->header.sequence)) {
      cursor_.offset = found->offset;
      scanner_.reset();
      return std::nullopt;
    }
    if (auto outgoing = offer(*found)) return outgoing;
  }
  return std::nullopt;
}

std::optional<stream::Outgoing> SpoolReader::offer(const Found& found) {
  const BatchInfo info = batch_info(found.header);
  if (info.last_time_ns != 0) cursor_time_ns_ = info.last_time_ns;
  const bool waits = tracker_.index().waits(info.incarnation, info.sequence);
  if (!waits || tracker_.queue().has(info.incarnation, info.sequence)) return std::nullopt;
  SegmentInfo& segment = store_.segments().at(cursor_.segment);
  if (!found.intact) {
    damaged_bytes_ += found.bytes;
    tracker_.lose_damaged(segment, info);
    return std::nullopt;
  }
  if (info.appended_ns < trusted_.now_ns() - options_.max_age_ns) {
    tracker_.lose(drop_of(info, metrics::stage::kSpool, metrics::reason::kTooOld));
    return std::nullopt;
  }
  out_ = found.payload;
  RecordRef ref{info, {cursor_.segment, found.offset}, found.payload.size()};
  return stream::Outgoing{tracker_.queue().send_replayed(std::move(ref), mono()), out_};
}

std::optional<stream::Outgoing> SpoolReader::replay_memory() {
  const auto& kept = tracker_.kept();
  for (auto it = kept.lower_bound(memory_cursor_); it != kept.end(); ++it) {
    const KeptBatch& batch = it->second;
    if (batch.at.segment != 0 || tracker_.queue().has(batch.info.incarnation, batch.info.sequence)) continue;
    memory_cursor_ = it->first;
    out_ = batch.bytes;
    return stream::Outgoing{tracker_.queue().send_replayed({batch.info, {}, batch.bytes.size()}, mono()), out_};
  }
  memory_cursor_ = UINT64_MAX;
  return std::nullopt;
}

}  // namespace monitor::agent
