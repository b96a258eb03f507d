#include "spool/file_spool.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/log.h"
#include "base/mutant.h"
#include "spool/recovery.h"

namespace monitor::agent {

namespace {

// Keeps the envelope small; further ones follow once these are delivered.
constexpr size_t kMaxOlder = 64;
constexpr int64_t kRetryCap = 60 * kNanosPerSecond;
constexpr uint64_t kLeastSegment = uint64_t{64} * 1024;
constexpr uint64_t kMostSegment = uint64_t{8} * 1024 * 1024;
// After this many failures, unreadable files in the folder are skipped.
constexpr int kPatience = 3;

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
      store_(disk, timers.clock(), options_.folder, options_.incarnation, segment_bytes_for(options_)),
      tracker_(store_, listener, options_.incarnation, [this] { checkpointer_.changed(); }),
      reader_(store_, tracker_, timers, trusted_,
              {options_.folder, options_.sync == SpoolSync::kBatch, options_.max_age_ns}),
      eviction_(
          store_, tracker_, reader_, {options_.max_bytes, options_.memory_bytes, options_.max_age_ns, options_.full},
          [this] { collect(); }, [this] { checkpointer_.persist(true); }),
      sync_(disk, timers, worker, store_, options_.folder, options_.sync, *this),
      checkpointer_(disk, timers, worker, options_.folder, *this) {}

FileSpool::~FileSpool() { timers_.cancel_timer(retry_timer_); }

void FileSpool::set_wake(std::function<void()> wake) {
  wake_ = std::move(wake);
  reader_.set_wake(wake_);
}

// --- Opening.

Status FileSpool::open() {
  Status opened = try_open();
  if (opened) return {};
  if (opened.error().code() == Code::kAborted) return opened;
  disk_failed(opened.error());
  return {};
}

Status FileSpool::try_open() {
  if (Status s = disk_.make_folder(options_.folder); !s) return s;
  auto lock = disk_.lock_file(options_.folder + "/lock", "spool " + options_.folder);
  if (!lock) return lock.error();
  const Unreadable unreadable = failures_ < kPatience ? Unreadable::kIsError : Unreadable::kIsPassedOver;
  auto content = read_folder(disk_, options_.folder, unreadable);
  if (!content) return content.error();
  auto checkpoint = CheckpointFile::open(disk_, options_.folder, unreadable);
  if (!checkpoint) return checkpoint.error();
  checkpointer_.set_file(std::move(*checkpoint));
  lock_ = std::move(*lock);
  stats_.foreign_files = content->foreign.size() + content->newer.size() + content->unreadable.size();
  for (const SegmentInfo& segment : content->segments) stats_.damaged_bytes += segment.damaged_bytes;
  const auto& known = checkpointer_.found().checkpoint;
  Recovery(store_, tracker_, listener_, known ? &*known : nullptr).run(*content);
  log_recovery(options_.folder, *content, store_, batches(), stats_.damaged_bytes);
  collect();
  checkpointer_.persist(true);
  sync_.sync_earlier_segments();
  return {};
}

// --- Writing.

Status FileSpool::append(BatchInfo info, std::string bytes) {
  eviction_.drop_old(timers_.clock().mono_ns(), trusted_);
  const uint64_t record = kRecordHeaderBytes + bytes.size();
  if (bytes.size() > kMaxPayloadBytes || !eviction_.make_room(record, bytes.size())) {
    Error error(Code::kResourceExhausted, fmt::format("spool {}: a batch of {} bytes does not fit into {} bytes",
                                                      options_.folder, bytes.size(), eviction_.limits().max_bytes));
    tracker_.index().wait(info.incarnation, info.sequence, info.last_time_ns);
    tracker_.lose(drop_of(info, metrics::stage::kSpool,
                          bytes.size() > kMaxPayloadBytes ? metrics::reason::kTooLarge : metrics::reason::kFull));
    return error;
  }
  const bool was_caught_up = reader_.caught_up();
  KeptBatch& batch = tracker_.add(std::move(info), std::move(bytes));
  store_or_wait(batch);
  reader_.added(batch, was_caught_up);
  return {};
}

void FileSpool::set_limits(uint64_t max_bytes, SpoolFull full) {
  options_.max_bytes = max_bytes;
  eviction_.set_limits(max_bytes, full);
  // Segments are dropped as a whole, so a segment must be much smaller than the limit.
  store_.set_segment_bytes(segment_bytes_for(options_));
}

// Returns false while deletions are pending and the files exceed the limit.
bool FileSpool::may_write() const {
  const uint64_t most = options_.max_bytes + 4 * store_.segment_bytes();
  return lock_ != nullptr && retry_timer_ == 0 && store_.disk_bytes() < most;
}

Status FileSpool::store(KeptBatch& batch) {
  const auto at = store_.append(batch.info, batch.bytes);
  if (!at) return at.error();
  tracker_.stored(batch, *at);
  if (options_.sync == SpoolSync::kNever) {
    batch.synced = true;
    failures_ = 0;
    return {};
  }
  sync_.written();
  return {};
}

void FileSpool::store_or_wait(KeptBatch& batch) {
  if (!may_write()) return;
  // Batches in memory are written first, because sequences in a segment must ascend.
  if (tracker_.memory_batches() > 1) return write_from_memory();
  Status stored = store(batch);
  if (!stored) {
    ++stats_.disk_errors;
    // Another segment may work, after a bad block or a temporary error.
    stored = store(batch);
  }
  if (!stored) disk_failed(stored.error());
}

void FileSpool::write_from_memory() {
  auto& kept = tracker_.kept();
  for (auto it = kept.begin(); it != kept.end() && tracker_.memory_batches() > 0;) {
    KeptBatch& batch = it->second;
    const uint64_t sequence = it->first;
    ++it;
    if (batch.at.segment != 0) continue;
    if (const Status stored = store(batch); !stored) {
      disk_failed(stored.error());
      return;
    }
    tracker_.release(sequence);
  }
}

void FileSpool::disk_failed(const Error& error) {
  ++stats_.disk_errors;
  ++failures_;
  store_.end_segment(false);
  if (retry_timer_ != 0 || closed_) return;
  collect();
  const int64_t wait = std::min(kRetryCap, kNanosPerSecond << std::min(failures_ - 1, 6));
  log_error("spool cannot be written; batches wait in memory", {{"folder", options_.folder},
                                                                {"reason", error},
                                                                {"waiting_in_memory", tracker_.memory_batches()},
                                                                {"wait_ms", wait / kNanosPerMilli}});
  retry_timer_ = timers_.call_after(wait, [this] { try_disk_again(); });
}

void FileSpool::try_disk_again() {
  retry_timer_ = 0;
  if (lock_ == nullptr) {
    if (const Status s = try_open(); !s) {
      disk_failed(s.error());
      return;
    }
  }
  write_from_memory();
  if (retry_timer_ == 0) log_info("spool is written again", {{"folder", options_.folder}});
  if (wake_) wake_();
}

// --- Syncing.

bool FileSpool::has_unsynced() const {
  const auto& kept = tracker_.kept();
  return std::any_of(kept.begin(), kept.end(),
                     [](const auto& one) { return one.second.at.segment != 0 && !one.second.synced; });
}

void FileSpool::on_synced(const SyncedFiles* files) {
  failures_ = 0;
  if (files == nullptr) return;
  std::vector<uint64_t> done;
  for (auto& [sequence, batch] : tracker_.kept()) {
    if (!files->covers(batch.at)) continue;
    batch.synced = true;
    done.push_back(sequence);
  }
  for (const uint64_t sequence : done) tracker_.release(sequence);
}

// Writes everything that may not be on disk again, into another segment.
void FileSpool::on_sync_failed(const SyncedFiles& files) {
  const SegmentWriter* const writer = store_.writer();
  if (writer != nullptr && files.files.contains(writer->number())) store_.end_segment(false);
  for (auto& [sequence, batch] : tracker_.kept()) {
    if (batch.synced || !files.files.contains(batch.at.segment)) continue;
    tracker_.not_stored(batch);
    reader_.not_stored(sequence);
  }
  disk_failed(files.status.error());
}

void FileSpool::on_sync_finished() {
  if (options_.sync == SpoolSync::kBatch && wake_) wake_();
}

// --- Checkpoint and deletion.

Checkpoint FileSpool::make_checkpoint() {
  std::set<std::string> on_disk;
  for (const auto& [number, segment] : store_.segments()) on_disk.insert(segment.incarnation);
  tracker_.index().forget(options_.incarnation, on_disk);
  PendingReports reports = listener_.pending_reports();
  if (is_mutant("lose_drop_records")) reports.drops.clear();
  Checkpoint all = {store_.highest(), tracker_.index().states(options_.incarnation), std::move(reports)};
  if (is_mutant("checkpoint_before_confirmation")) {
    for (IncarnationState& state : all.incarnations) state.settled.add(1, state.last_sequence);
  }
  return all;
}

std::vector<uint64_t> FileSpool::retired_segments() const { return {store_.retired().begin(), store_.retired().end()}; }

// Retires segments in which nothing waits, except the current one.
void FileSpool::collect() {
  bool any = false;
  for (auto& [number, segment] : store_.segments()) {
    if (store_.is_retired(number) || store_.is_written(number) || !tracker_.is_resolved(segment)) continue;
    any = store_.retire(segment) || any;
  }
  if (any) checkpointer_.persist(true);
}

void FileSpool::on_deleted(const std::vector<uint64_t>& segments) {
  for (const uint64_t number : segments) store_.erase(number);
}

void FileSpool::on_checkpoint_written() {
  if (tracker_.memory_batches() > 0 && may_write()) write_from_memory();
}

// --- Sending.

uint64_t FileSpool::first_unacked(const std::string& incarnation, uint64_t next_sequence) const {
  return tracker_.index().first_waiting(incarnation, next_sequence);
}

std::vector<metrics::OlderIncarnation> FileSpool::older(const std::string& incarnation) const {
  return tracker_.index().older(incarnation, kMaxOlder);
}

SpoolStats FileSpool::stats() const {
  SpoolStats stats = stats_;
  stats.on_disk = lock_ != nullptr && retry_timer_ == 0;
  stats.segments = store_.segments().size();
  stats.disk_bytes = store_.disk_bytes();
  stats.memory_batches = tracker_.memory_batches();
  stats.damaged_batches = tracker_.damaged_batches();
  stats.damaged_bytes += reader_.damaged_bytes();
  stats.disk_errors += reader_.disk_errors() + checkpointer_.disk_errors() + sync_.disk_errors();
  stats.writes = store_.writes() + checkpointer_.writes();
  stats.syncs = sync_.syncs() + checkpointer_.syncs();
  return stats;
}

void FileSpool::acknowledged(uint64_t id) {
  const auto ref = tracker_.queue().acknowledged(id, timers_.clock().mono_ns());
  if (!ref) return;  // dropped in the meantime; a batch that is both stored and reported dropped counts as stored
  tracker_.resolve(ref->info);
  sync_.settled();
  listener_.on_stored(ref->info);
}

void FileSpool::rejected(uint64_t id, stream::RejectedBy by, std::string_view reason) {
  const auto ref = tracker_.queue().rejected(id);
  if (!ref) return;
  tracker_.lose(drop_of_rejected(ref->info, by, reason));
}

// --- Closing.

void FileSpool::lose_memory_batches() {
  IntervalSet lost;
  for (const auto& [sequence, batch] : tracker_.kept()) {
    if (batch.at.segment == 0) lost.add(sequence);
  }
  tracker_.lose_each(lost, {}, options_.incarnation, metrics::reason::kFull);
}

void FileSpool::close() {
  if (closed_) return;
  timers_.cancel_timer(std::exchange(retry_timer_, 0));
  sync_.stop_timer();
  reader_.close();
  checkpointer_.stop_timer();
  if (lock_ != nullptr && tracker_.memory_batches() > 0) write_from_memory();
  closed_ = true;
  checkpointer_.set_closed();
  auto sync_rest = sync_.close();
  if (!checkpointer_.has_file()) {
    if (tracker_.memory_batches() > 0) {
      log_error("batches that waited in memory are lost", {{"batches", tracker_.memory_batches()}});
    }
    return;
  }
  lose_memory_batches();
  tracker_.index().entry(options_.incarnation).clean = true;
  store_.end_segment(true);
  collect();
  worker_.submit(
      [sync_rest = std::move(sync_rest), write_last = checkpointer_.last_write(),
       lock = std::shared_ptr<DiskLock>(std::move(lock_))] {
        sync_rest();
        write_last();
      },
      [] {});
}

}  // namespace monitor::agent
