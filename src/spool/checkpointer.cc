#include "spool/checkpointer.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/mutant.h"
#include "spool/format.h"

namespace monitor::agent {

namespace {

constexpr int64_t kPersistWithin = 5 * kNanosPerSecond;
constexpr int64_t kRetryCap = 60 * kNanosPerSecond;

}  // namespace

// One job of the worker: writes the checkpoint, and then deletes the segments that may be deleted after it.
struct Checkpointer::Job {
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
    // After a power loss a file may reappear, and must then still be known. So it counts as deleted only after the
    // folder is synced.
    if (deleted.empty()) return;
    if (const Status synced = disk.sync_folder(folder); !synced) {
      deleted.clear();
      deleting = synced;
    }
  }
};

Checkpointer::Checkpointer(FileDisk& disk, Timers& timers, Worker& worker, std::string folder, CheckpointOwner& owner)
    : disk_(disk), timers_(timers), worker_(worker), folder_(std::move(folder)), owner_(owner) {}

void Checkpointer::changed() {
  if (timer_ != 0 || running_ || closed_) {
    again_ = again_ || running_;
    return;
  }
  timer_ = timers_.call_after(kPersistWithin, [this] {
    timer_ = 0;
    owner_.collect();
    if (!running_) persist(false);
  });
}

void Checkpointer::persist(bool sync) {
  sync_next_ = sync_next_ || sync || !owner_.retired_segments().empty();
  if (closed_ || !file_) return;
  // After a failure only the timer retries, so that a failing disk is not used continuously.
  if (running_ || failures_ > 0) {
    again_ = true;
    if (running_ || timer_ != 0) return;
  }
  timers_.cancel_timer(std::exchange(timer_, 0));
  const auto job = std::make_shared<Job>();
  job->write = file_->prepare(owner_.make_checkpoint(), sync_next_);
  job->segments = owner_.retired_segments();
  running_ = true;
  again_ = false;
  sync_next_ = false;
  worker_.submit([job, &disk = disk_, folder = folder_] { job->run(disk, folder); },
                 [this, job, alive = std::weak_ptr<bool>(alive_)] {
                   if (!alive.expired()) finished(*job);
                 });
}

void Checkpointer::finished(const Job& job) {
  running_ = false;
  file_->done(job.write, job.status);
  ++writes_;
  if (job.write.sync) ++syncs_;
  if (closed_) return;
  owner_.on_deleted(job.deleted);
  if (const Status& status = job.status ? job.deleting : job.status; !status) return failed(status.error());
  failures_ = 0;
  owner_.on_checkpoint_written();
  if (!std::exchange(again_, false)) return;
  if (sync_next_) {
    persist(true);
  } else {
    changed();
  }
}

void Checkpointer::failed(const Error& error) {
  ++disk_errors_;
  ++failures_;
  sync_next_ = true;
  const int64_t wait = std::min(kRetryCap, kNanosPerSecond << std::min(failures_ - 1, 6));
  log_error("spool's checkpoint or a deletion failed; nothing is deleted until it succeeds",
            {{"folder", folder_}, {"reason", error}, {"wait_ms", wait / kNanosPerMilli}});
  timer_ = timers_.call_after(wait, [this] {
    timer_ = 0;
    persist(true);
  });
}

std::function<void()> Checkpointer::last_write() {
  Job first;
  first.write = file_->prepare(owner_.make_checkpoint(), true);
  file_->done(first.write, {});
  first.segments = owner_.retired_segments();
  Job second;
  second.write = file_->prepare(owner_.make_checkpoint(), true);
  return [first, second, &disk = disk_, folder = folder_]() mutable {
    first.run(disk, folder);
    if (first.status) second.run(disk, folder);
  };
}

}  // namespace monitor::agent
