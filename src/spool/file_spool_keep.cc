// FileSpool: what is settled, what is dropped, and how that outlives the process: checkpoint, sync, then unlink.
#include <algorithm>

#include "base/log.h"
#include "base/mutant.h"
#include "spool/file_spool.h"

namespace monitor::agent {

namespace {

constexpr int64_t kKeepWithin = 5 * kNanosPerSecond;
constexpr int64_t kRetryCap = 60 * kNanosPerSecond;
constexpr int64_t kAgeEvery = 60 * kNanosPerSecond;

}  // namespace

// One run of the worker: the checkpoint, then what it allows to be deleted.
struct FileSpool::KeepJob {
  CheckpointWrite write;
  std::vector<uint64_t> segments;
  std::vector<uint64_t> deleted;
  Status status;    // of the checkpoint
  Status deleting;  // of the first file that could not be deleted

  void run(FileDisk& disk, const std::string& folder) {
    if (is_mutant("unlink_before_checkpoint")) unlink(disk, folder);
    status = write.run();
    if (status) unlink(disk, folder);
  }

  void unlink(FileDisk& disk, const std::string& folder) {
    for (const uint64_t segment : segments) {
      const Status removed = disk.remove_file(folder + "/" + segment_name(segment));
      if (removed) deleted.push_back(segment);
      if (!removed && deleting) deleting = removed;
    }
    // A file that a loss of power brings back must still be known: it counts as deleted only when it stays deleted.
    if (deleted.empty()) return;
    if (const Status synced = disk.sync_folder(folder); !synced) {
      deleted.clear();
      deleting = synced;
    }
  }
};

void FileSpool::settle(const std::string& incarnation, uint64_t sequence) {
  book_.settle(incarnation, sequence);
  if (incarnation == options_.incarnation) drop_kept(sequence, sequence);
  changed();
}

void FileSpool::lose(const metrics::Drop& drop) {
  outbox_.forget(drop.incarnation, drop.first_sequence, drop.last_sequence);
  book_.entry(drop.incarnation).waiting.remove(drop.first_sequence, drop.last_sequence);
  if (drop.incarnation == options_.incarnation) drop_kept(drop.first_sequence, drop.last_sequence);
  changed();
  if (drop.reason == metrics::reason::kDamaged) stats_.damaged_batches += drop.batches;
  listener_.on_lost(drop);
}

void FileSpool::lose_each(const SequenceSet& sequences, const std::map<uint64_t, BatchInfo>& known,
                          const std::string& incarnation, std::string_view reason) {
  for (const auto& [first, last] : sequences.ranges()) {
    metrics::Drop drop = drop_of_range(incarnation, first, last, metrics::stage::kSpool, reason);
    for (auto it = known.lower_bound(first); it != known.end() && it->first <= last; ++it) {
      const BatchInfo& info = it->second;
      drop.ticks += info.ticks;
      drop.points += info.points;
      if (drop.first_time_ns == 0) drop.first_time_ns = info.first_time_ns;
      if (info.last_time_ns != 0) drop.last_time_ns = info.last_time_ns;
    }
    lose(drop);
  }
}

// What other segments or the memory have of the segment's incarnation.
SequenceSet FileSpool::elsewhere(const SegmentInfo& segment) const {
  SequenceSet result;
  for (const auto& [number, other] : segments_) {
    const bool counts = number != segment.number && !dead_.contains(number);
    if (counts && other.incarnation == segment.incarnation) result.add(other.sequences);
  }
  if (segment.incarnation != options_.incarnation) return result;
  for (const auto& [sequence, kept] : kept_) {
    if (kept.at.segment != segment.number) result.add(sequence);
  }
  return result;
}

void FileSpool::damaged(SegmentInfo& segment, const BatchInfo& info) {
  segment.sequences.remove(info.sequence);
  if (elsewhere(segment).contains(info.sequence)) return;
  lose(drop_of(info, metrics::stage::kSpool, metrics::reason::kDamaged));
}

bool FileSpool::is_settled(const SegmentInfo& segment) const {
  const Book::Entry* const entry = book_.find(segment.incarnation);
  return entry == nullptr || !entry->waiting.intersects(segment.sequences);
}

void FileSpool::bury(SegmentInfo& segment) {
  if (!dead_.insert(segment.number).second) return;
  live_bytes_ -= segment.size;
  if (open_file_.first == segment.number) open_file_ = {};
  keep_synced_ = true;
}

// Settled segments are to be deleted. The one that is written goes on.
void FileSpool::sweep() {
  bool any = false;
  for (auto& [number, segment] : segments_) {
    if (dead_.contains(number) || (writer_ && writer_->number() == number) || !is_settled(segment)) continue;
    bury(segment);
    any = true;
  }
  if (any) keep(true);
}

bool FileSpool::drop_oldest() {
  const auto oldest =
      std::find_if(segments_.begin(), segments_.end(), [this](const auto& one) { return !dead_.contains(one.first); });
  if (oldest == segments_.end()) return false;
  drop_segment(oldest->second, metrics::reason::kFull);
  return true;
}

void FileSpool::drop_segment(SegmentInfo& segment, std::string_view reason) {
  if (writer_ && writer_->number() == segment.number) leave_segment(false);
  const std::string incarnation = segment.incarnation;
  SequenceSet lost;
  if (const Book::Entry* const entry = book_.find(incarnation)) {
    lost = entry->waiting.intersection(segment.sequences);
    lost.remove(elsewhere(segment));
  }
  // Ticks and points are in the headers. What cannot be read is counted without.
  std::map<uint64_t, BatchInfo> known;
  if (auto file = file_of(segment.number); file && !lost.empty()) {
    SegmentScanner scanner(**file, segment.number, segment.size, segment.begin, SegmentScanner::Read::kHeaders);
    scanner.give_up();
    while (true) {
      const auto found = scanner.next();
      if (!found || found->kind == Found::Kind::kEnd) break;
      if (found->kind != Found::Kind::kRecord || found->header.kind != RecordKind::kBatch) continue;
      if (lost.contains(found->header.sequence)) known[found->header.sequence] = batch_info(found->header);
    }
  }
  if (cursor_.segment == segment.number) {
    cursor_ = {segment.number + 1, 0};
    scanner_.reset();
    cursor_file_.reset();
  }
  bury(segment);
  lose_each(lost, known, incarnation, reason);
  keep(true);
}

// Whole segments that are too old; single batches are found so when their turn comes.
void FileSpool::drop_old() {
  const int64_t now = timers_.clock().mono_ns();
  if (now - age_checked_ns_ < kAgeEvery) return;
  age_checked_ns_ = now;
  const int64_t oldest = trusted_.now_ns() - options_.max_age_ns;
  for (auto& [number, segment] : segments_) {
    const bool written = writer_ && writer_->number() == number;
    if (dead_.contains(number) || written || segment.newest_appended_ns == 0 || segment.newest_appended_ns >= oldest) {
      continue;
    }
    drop_segment(segment, metrics::reason::kTooOld);
  }
}

void FileSpool::changed() {
  if (keep_timer_ != 0 || keep_running_ || closed_) {
    keep_again_ = keep_again_ || keep_running_;
    return;
  }
  keep_timer_ = timers_.call_after(kKeepWithin, [this] {
    keep_timer_ = 0;
    sweep();
    if (!keep_running_) keep(false);
  });
}

Checkpoint FileSpool::checkpoint() const {
  Tellings tellings = listener_.tellings();
  if (is_mutant("lose_drop_records")) tellings.drops.clear();
  Checkpoint all = {highest_, book_.states(options_.incarnation), std::move(tellings.drops), std::move(tellings.ended)};
  if (is_mutant("checkpoint_before_confirmation")) {
    for (IncarnationState& state : all.incarnations) state.settled.add(1, state.last_sequence);
  }
  return all;
}

// An incarnation whose end was told, and of which nothing is left on the disk.
void FileSpool::forget_incarnations() {
  std::set<std::string> present;
  for (const auto& [number, segment] : segments_) present.insert(segment.incarnation);
  std::erase_if(book_.entries(), [&](const Book::Entry& entry) {
    return entry.incarnation != options_.incarnation && entry.told && entry.waiting.empty() &&
           !present.contains(entry.incarnation);
  });
}

void FileSpool::keep(bool sync) {
  keep_synced_ = keep_synced_ || sync || !dead_.empty();
  if (closed_ || !checkpoint_) return;
  // After a failure its timer decides, so that a disk that fails is not asked all the time.
  if (keep_running_ || keep_failures_ > 0) {
    keep_again_ = true;
    if (keep_running_ || keep_timer_ != 0) return;
  }
  timers_.cancel_timer(std::exchange(keep_timer_, 0));
  forget_incarnations();
  const auto job = std::make_shared<KeepJob>();
  job->write = checkpoint_->prepare(checkpoint(), keep_synced_);
  job->segments.assign(dead_.begin(), dead_.end());
  keep_running_ = true;
  keep_again_ = false;
  keep_synced_ = false;
  worker_.submit([job, &disk = disk_, folder = options_.folder] { job->run(disk, folder); },
                 [this, job, alive = std::weak_ptr<bool>(alive_)] {
                   if (!alive.expired()) keep_done(*job);
                 });
}

void FileSpool::keep_done(const KeepJob& job) {
  keep_running_ = false;
  checkpoint_->done(job.write, job.status);
  ++stats_.writes;
  if (job.write.sync) ++stats_.syncs;
  if (closed_) return;
  for (const uint64_t number : job.deleted) {
    const auto segment = segments_.find(number);
    if (segment == segments_.end()) continue;
    disk_bytes_ -= segment->second.size;
    segments_.erase(segment);
    dead_.erase(number);
  }
  const Status& failed = job.status ? job.deleting : job.status;
  if (!failed) {
    ++stats_.disk_errors;
    ++keep_failures_;
    keep_synced_ = true;
    const int64_t wait = std::min(kRetryCap, kNanosPerSecond << std::min(keep_failures_ - 1, 6));
    log_error("spool's checkpoint or a deletion failed; nothing is deleted before it succeeds",
              {{"folder", options_.folder}, {"reason", failed.error()}, {"wait_ms", wait / kNanosPerMilli}});
    keep_timer_ = timers_.call_after(wait, [this] {
      keep_timer_ = 0;
      keep(true);
    });
    return;
  }
  keep_failures_ = 0;
  if (memory_batches_ > 0 && may_write()) write_from_memory();
  if (std::exchange(keep_again_, false)) {
    if (keep_synced_) {
      keep(true);
    } else {
      changed();
    }
  }
}

void FileSpool::close() {
  if (closed_) return;
  for (auto* timer : {&retry_timer_, &sync_timer_, &read_timer_, &keep_timer_}) {
    timers_.cancel_timer(std::exchange(*timer, 0));
  }
  if (lock_ != nullptr && memory_batches_ > 0) write_from_memory();
  closed_ = true;
  if (!checkpoint_) {
    if (memory_batches_ > 0) log_error("batches that waited in memory are lost", {{"batches", memory_batches_}});
    return;
  }
  SequenceSet lost;
  for (const auto& [sequence, kept] : kept_) {
    if (kept.at.segment == 0) lost.add(sequence);
  }
  lose_each(lost, {}, options_.incarnation, metrics::reason::kFull);
  book_.entry(options_.incarnation).clean = true;
  leave_segment(true);
  sweep();
  forget_incarnations();
  // Both slots say the same then: no damage to one of them costs anything.
  KeepJob first;
  first.write = checkpoint_->prepare(checkpoint(), true);
  checkpoint_->done(first.write, {});
  first.segments.assign(dead_.begin(), dead_.end());
  KeepJob second;
  second.write = checkpoint_->prepare(checkpoint(), true);
  worker_.submit(
      [first, second, files = unsynced_, sync = options_.sync, lock = std::shared_ptr<DiskLock>(std::move(lock_)),
       &disk = disk_, folder = options_.folder]() mutable {
        for (const auto& [number, file] : files) {
          if (sync != SpoolSync::kNever) (void)file->sync();
        }
        first.run(disk, folder);
        if (first.status) second.run(disk, folder);
      },
      [] {});
}

}  // namespace monitor::agent
