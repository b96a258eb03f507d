// FileSpool: what is written, and what becomes of it when it cannot be.
#include <algorithm>

#include "base/log.h"
#include "base/mutant.h"
#include "spool/file_spool.h"

namespace monitor::agent {

namespace {

constexpr int64_t kSyncWithin = 100 * kNanosPerMilli;
constexpr int64_t kRetryCap = 60 * kNanosPerSecond;

}  // namespace

// One run of the worker: files as they were when it began.
struct FileSpool::SyncJob {
  struct File {
    std::shared_ptr<DiskFile> file;
    uint64_t size = 0;
  };
  std::map<uint64_t, File> files;  // by segment
  bool folder = false;
  Status status;
};

bool FileSpool::make_room(uint64_t record_bytes, uint64_t memory_bytes) {
  if (record_bytes + kSegmentHeaderBytes + kSealBytes > options_.max_bytes) return false;
  // A record may also need a new segment's header and the old one's seal.
  const uint64_t needed = record_bytes + kSegmentHeaderBytes + kSealBytes;
  if (live_bytes_ + needed > options_.max_bytes) sweep();
  while (live_bytes_ + needed > options_.max_bytes) {
    if (options_.full == SpoolFull::kDropNewest || !drop_oldest()) return false;
  }
  return make_room_in_memory(memory_bytes);
}

bool FileSpool::make_room_in_memory(uint64_t bytes) {
  while (memory_batches_ > 0 && memory_used_ + bytes > options_.memory_bytes) {
    if (options_.full == SpoolFull::kDropNewest) return false;
    const auto oldest =
        std::find_if(kept_.begin(), kept_.end(), [](const auto& one) { return one.second.at.segment == 0; });
    if (oldest == kept_.end()) break;
    lose(drop_of(oldest->second.info, metrics::stage::kSpool, metrics::reason::kFull));
  }
  return bytes <= options_.memory_bytes;
}

void FileSpool::set_limits(uint64_t max_bytes, SpoolFull full) {
  options_.max_bytes = max_bytes;
  options_.full = full;
  segment_bytes_ = segment_bytes_for(options_);
  // What is beyond gives way segment by segment: none of them may be as large as all of it.
  if (writer_ && writer_->size() >= segment_bytes_) leave_segment(true);
}

// Not while more is being deleted than the disk was promised.
bool FileSpool::may_write() const {
  return lock_ != nullptr && retry_timer_ == 0 && disk_bytes_ < options_.max_bytes + 4 * segment_bytes_;
}

Status FileSpool::begin_segment() {
  if (is_mutant("append_to_recovered") && segments_.contains(highest_) && !dead_.contains(highest_) &&
      segments_.at(highest_).incarnation != options_.incarnation) {
    --highest_;
  }
  const SegmentHeader header{highest_ + 1, options_.incarnation, timers_.clock().wall_ns()};
  auto made = SegmentWriter::create(disk_, options_.folder, header);
  // The number is not used again, whatever was left behind.
  ++highest_;
  if (!made) return made.error();
  writer_ = std::move(*made);
  SegmentInfo& info = segments_[writer_->number()];
  info.number = writer_->number();
  info.incarnation = options_.incarnation;
  info.size = writer_->size();
  live_bytes_ += info.size;
  disk_bytes_ += info.size;
  folder_unsynced_ = true;
  ++stats_.writes;
  return {};
}

void FileSpool::leave_segment(bool seal) {
  if (!writer_) return;
  SegmentInfo& info = segments_.at(writer_->number());
  if (seal && writer_->seal()) {
    live_bytes_ += writer_->size() - info.size;
    disk_bytes_ += writer_->size() - info.size;
    info.size = writer_->size();
    ++stats_.writes;
  }
  writer_.reset();
}

Status FileSpool::store(Kept& kept) {
  if (writer_ && writer_->size() >= segment_bytes_) leave_segment(true);
  if (!writer_) {
    if (Status s = begin_segment(); !s) return s;
  }
  const auto at = writer_->append(kept.info, kept.bytes);
  if (!at) {
    leave_segment(false);
    return at.error();
  }
  ++stats_.writes;
  SegmentInfo& info = segments_.at(writer_->number());
  live_bytes_ += writer_->size() - info.size;
  disk_bytes_ += writer_->size() - info.size;
  info.size = writer_->size();
  info.sequences.add(kept.info.sequence);
  if (info.first_time_ns == 0) info.first_time_ns = kept.info.first_time_ns;
  if (kept.info.last_time_ns != 0) info.last_time_ns = kept.info.last_time_ns;
  info.newest_appended_ns = std::max(info.newest_appended_ns, kept.info.appended_ns);
  kept.at = {writer_->number(), *at};
  --memory_batches_;
  memory_used_ -= kept.bytes.size();
  outbox_.move(kept.info.incarnation, kept.info.sequence, kept.at);
  if (options_.sync == SpoolSync::kNever) {
    kept.synced = true;
    failures_ = 0;
    return {};
  }
  unsynced_[writer_->number()] = writer_->file();
  sync_soon();
  return {};
}

void FileSpool::store_or_wait(Kept& kept) {
  if (!may_write()) return;
  // Those that wait in memory go first: a segment's sequences rise.
  if (memory_batches_ > 1) return write_from_memory();
  Status stored = store(kept);
  if (!stored) {
    ++stats_.disk_errors;
    // In another segment it may do: a bad block, an error that has passed.
    stored = store(kept);
  }
  if (!stored) disk_failed(stored.error());
}

void FileSpool::disk_failed(const Error& error) {
  ++stats_.disk_errors;
  ++failures_;
  leave_segment(false);
  if (retry_timer_ != 0 || closed_) return;
  sweep();
  const int64_t wait = std::min(kRetryCap, kNanosPerSecond << std::min(failures_ - 1, 6));
  log_error("spool cannot be written; batches wait in memory", {{"folder", options_.folder},
                                                                {"reason", error},
                                                                {"waiting_in_memory", memory_batches_},
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

void FileSpool::write_from_memory() {
  for (auto it = kept_.begin(); it != kept_.end() && memory_batches_ > 0;) {
    Kept& kept = it->second;
    const uint64_t sequence = it->first;
    ++it;
    if (kept.at.segment != 0) continue;
    if (const Status stored = store(kept); !stored) {
      disk_failed(stored.error());
      return;
    }
    release(sequence);
  }
}

void FileSpool::drop_kept(uint64_t first, uint64_t last) {
  for (auto it = kept_.lower_bound(first); it != kept_.end() && it->first <= last;) {
    if (it->second.at.segment == 0) {
      --memory_batches_;
      memory_used_ -= it->second.bytes.size();
    }
    it = kept_.erase(it);
  }
}

// Its bytes are no longer needed in memory, unless they are.
void FileSpool::release(uint64_t sequence) {
  const auto it = kept_.find(sequence);
  if (it == kept_.end() || it->second.at.segment == 0 || !it->second.synced) return;
  if (!outbox_.is_fresh(options_.incarnation, sequence)) kept_.erase(it);
}

void FileSpool::sync_soon() {
  if (options_.sync == SpoolSync::kBatch) {
    start_sync();
  } else if (options_.sync == SpoolSync::k100Ms && sync_timer_ == 0 && !sync_running_) {
    sync_timer_ = timers_.call_after(kSyncWithin, [this] {
      sync_timer_ = 0;
      start_sync();
    });
  }
}

void FileSpool::start_sync() {
  if (sync_running_) {
    sync_again_ = true;
    return;
  }
  const bool any = std::any_of(kept_.begin(), kept_.end(),
                               [](const auto& one) { return one.second.at.segment != 0 && !one.second.synced; });
  if (!any) {
    // All of it was acknowledged meanwhile: nothing is left that a loss of power could take.
    unsynced_.clear();
    failures_ = 0;
    return;
  }
  const auto job = std::make_shared<SyncJob>();
  for (auto& [number, file] : unsynced_) {
    const auto segment = segments_.find(number);
    if (segment != segments_.end()) job->files[number] = {std::move(file), segment->second.size};
  }
  unsynced_.clear();
  job->folder = std::exchange(folder_unsynced_, false);
  sync_running_ = true;
  worker_.submit(
      [job, &disk = disk_, folder = options_.folder] {
        if (is_mutant("skip_fsync")) return;
        for (const auto& [number, file] : job->files) {
          const Status synced = file.file->sync();
          if (job->status && !synced) job->status = synced;
        }
        if (job->folder && job->status) job->status = disk.sync_folder(folder);
      },
      [this, job, alive = std::weak_ptr<bool>(alive_)] {
        if (!alive.expired()) sync_done(*job);
      });
}

void FileSpool::sync_done(const SyncJob& job) {
  sync_running_ = false;
  stats_.syncs += job.files.size();
  if (closed_) return;
  if (!job.status) {
    take_back(job);
    disk_failed(job.status.error());
  } else {
    failures_ = 0;
    std::vector<uint64_t> done;
    for (auto& [sequence, kept] : kept_) {
      const auto file = job.files.find(kept.at.segment);
      if (file == job.files.end() || kept.at.offset >= file->second.size) continue;
      kept.synced = true;
      done.push_back(sequence);
    }
    for (const uint64_t sequence : done) release(sequence);
  }
  const bool more = std::exchange(sync_again_, false) || !unsynced_.empty();
  if (more) sync_soon();
  if (options_.sync == SpoolSync::kBatch && wake_) wake_();
}

// The sync failed: what is not known to be on the disk is to be written anew, elsewhere.
void FileSpool::take_back(const SyncJob& job) {
  if (job.folder) folder_unsynced_ = true;
  if (writer_ && job.files.contains(writer_->number())) leave_segment(false);
  for (auto& [sequence, kept] : kept_) {
    if (kept.synced || !job.files.contains(kept.at.segment)) continue;
    kept.at = {};
    ++memory_batches_;
    memory_used_ += kept.bytes.size();
    memory_cursor_ = std::min(memory_cursor_, sequence);
    outbox_.move(options_.incarnation, sequence, {});
  }
}

}  // namespace monitor::agent
