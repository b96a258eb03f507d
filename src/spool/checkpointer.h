// Checkpointer: decides when a checkpoint is written, and deletes retired segments once a checkpoint that records this
// is on disk. Writing, syncing and deleting run on the worker, one job at a time. After a failure it retries with
// growing pauses, and deletes nothing until it succeeds.
//
// Thread contract: everything but the jobs on the loop's thread. The constructor's arguments must outlive it; jobs need
// only the disk.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/event_loop.h"
#include "base/worker.h"
#include "spool/checkpoint.h"

namespace monitor::agent {

class CheckpointOwner {
 public:
  virtual ~CheckpointOwner() = default;
  // The content of the next checkpoint.
  virtual Checkpoint make_checkpoint() = 0;
  // Segments that may be deleted after that checkpoint.
  virtual std::vector<uint64_t> retired_segments() const = 0;
  // A checkpoint is about to be written: retires the segments that can be retired.
  virtual void collect() = 0;
  virtual void on_deleted(const std::vector<uint64_t>& segments) = 0;
  // A checkpoint and the deletions after it have succeeded, so the disk works.
  virtual void on_checkpoint_written() = 0;
};

class Checkpointer {
 public:
  Checkpointer(FileDisk& disk, Timers& timers, Worker& worker, std::string folder, CheckpointOwner& owner);
  ~Checkpointer() { timers_.cancel_timer(timer_); }
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

  // Nothing is written before there is a file.
  void set_file(CheckpointFile file) { file_.emplace(std::move(file)); }
  bool has_file() const { return file_.has_value(); }
  const CheckpointContent& found() const { return file_->content(); }

  // Something has changed: a checkpoint is written after 5 s. The timers may run it with the next tick of an agent
  // instead, up to 5 s later.
  void changed();
  // Writes a checkpoint as soon as none is being written. It is synced if `sync` is set, or if there are retired
  // segments.
  void persist(bool sync);
  void stop_timer() { timers_.cancel_timer(std::exchange(timer_, 0)); }
  // From now on changed() and persist() do nothing.
  void set_closed() { closed_ = true; }
  // Call after set_closed(). Returns a function that writes the last checkpoint into both slots, so that damage to one
  // of them loses nothing. The function needs only the disk. There must be a file.
  std::function<void()> last_write();

  uint64_t writes() const { return writes_; }
  uint64_t syncs() const { return syncs_; }
  uint64_t disk_errors() const { return disk_errors_; }

 private:
  struct Job;
  void finished(const Job& job);
  void failed(const Error& error);

  FileDisk& disk_;
  Timers& timers_;
  Worker& worker_;
  const std::string folder_;
  CheckpointOwner& owner_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // jobs hold a weak reference
  std::optional<CheckpointFile> file_;
  bool running_ = false;
  bool again_ = false;
  bool sync_next_ = false;
  bool closed_ = false;
  int failures_ = 0;
  Timers::TimerId timer_ = 0;
  uint64_t writes_ = 0;
  uint64_t syncs_ = 0;
  uint64_t disk_errors_ = 0;
};

}  // namespace monitor::agent
