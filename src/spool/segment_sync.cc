#include "spool/segment_sync.h"

#include <utility>
#include <vector>

#include "base/log.h"
#include "base/mutant.h"

namespace monitor::agent {

namespace {

constexpr int64_t kSyncWithin = 100 * kNanosPerMilli;

}  // namespace

SegmentSync::SegmentSync(FileDisk& disk, Timers& timers, Worker& worker, SegmentStore& store, std::string folder,
                         SpoolSync mode, SyncOwner& owner)
    : disk_(disk),
      timers_(timers),
      worker_(worker),
      store_(store),
      folder_(std::move(folder)),
      mode_(mode),
      owner_(owner) {}

void SegmentSync::stop_timer() { timers_.cancel_timer(std::exchange(timer_, 0)); }

void SegmentSync::written() {
  unsynced_[store_.writer()->number()] = store_.writer()->file();
  sync_soon();
}

void SegmentSync::sync_soon() {
  if (mode_ == SpoolSync::kBatch) {
    start();
  } else if (mode_ == SpoolSync::k100Ms && timer_ == 0 && !running_) {
    timer_ = timers_.call_after(kSyncWithin, [this] {
      timer_ = 0;
      start();
    });
  }
}

void SegmentSync::settled() {
  if (timer_ == 0 || owner_.has_unsynced()) return;
  stop_timer();
  unsynced_.clear();
  owner_.on_synced(nullptr);
}

void SegmentSync::start() {
  if (running_) {
    again_ = true;
    return;
  }
  if (!owner_.has_unsynced()) {
    unsynced_.clear();
    owner_.on_synced(nullptr);
    return;
  }
  const auto job = std::make_shared<SyncedFiles>();
  for (auto& [number, file] : unsynced_) {
    const auto segment = store_.segments().find(number);
    if (segment != store_.segments().end()) job->files[number] = {std::move(file), segment->second.size};
  }
  unsynced_.clear();
  job->folder = store_.take_folder_changed();
  running_ = true;
  worker_.submit(
      [job, &disk = disk_, folder = folder_] {
        if (is_mutant("skip_fsync")) return;
        for (const auto& [number, file] : job->files) {
          const Status synced = file.file->sync();
          if (job->status && !synced) job->status = synced;
        }
        if (job->folder && job->status) job->status = disk.sync_folder(folder);
      },
      [this, job, alive = std::weak_ptr<bool>(alive_)] {
        if (!alive.expired()) finished(*job);
      });
}

void SegmentSync::finished(const SyncedFiles& job) {
  running_ = false;
  syncs_ += job.files.size();
  if (closed_) return;
  if (job.status) {
    owner_.on_synced(&job);
  } else {
    if (job.folder) store_.set_folder_changed();
    owner_.on_sync_failed(job);
  }
  if (std::exchange(again_, false) || !unsynced_.empty()) sync_soon();
  owner_.on_sync_finished();
}

struct SegmentSync::EarlierJob {
  std::vector<std::string> paths;
  uint64_t synced = 0;
  Status status;

  void run(FileDisk& disk, const std::string& folder) {
    status = disk.sync_folder(folder);
    for (const std::string& path : paths) {
      auto file = disk.open_file(path, FileDisk::Open::kRead);
      if (!file && file.error().code() == Code::kNotFound) continue;  // resolved and deleted in the meantime
      const Status result = file ? (*file)->sync() : Status(file.error());
      if (result) ++synced;
      if (!result && status) status = result;
    }
  }
};

void SegmentSync::sync_earlier_segments() {
  if (mode_ == SpoolSync::kNever) return;
  const auto job = std::make_shared<EarlierJob>();
  for (const auto& [number, segment] : store_.segments()) {
    if (!store_.is_retired(number)) job->paths.push_back(folder_ + "/" + segment_name(number));
  }
  if (job->paths.empty()) return;
  worker_.submit([job, &disk = disk_, folder = folder_] { job->run(disk, folder); },
                 [this, job, alive = std::weak_ptr<bool>(alive_)] {
                   if (!alive.expired()) finished(*job);
                 });
}

void SegmentSync::finished(const EarlierJob& job) {
  syncs_ += job.synced;
  if (job.status) return;
  ++disk_errors_;
  log_warning(
      "segments of an earlier run cannot be synced; a power failure before they are sent may lose their batches",
      {{"folder", folder_}, {"reason", job.status.error()}});
}

std::function<void()> SegmentSync::close() {
  closed_ = true;
  return [files = unsynced_, sync = mode_ != SpoolSync::kNever] {
    for (const auto& [number, file] : files) {
      if (sync) (void)file->sync();
    }
  };
}

}  // namespace monitor::agent
