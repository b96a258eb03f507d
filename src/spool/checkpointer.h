// Checkpointer: decides when a checkpoint is written, and deletes retired segments once the checkpoint that knows of it
// is on the disk. Writing, syncing and deleting run on the worker, one job at a time; after a failure it is tried again
// with a growing wait, and until then nothing is deleted.
//
// Everything but the jobs on the loop's thread. What it is given must outlive it; jobs need only the disk.
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
  // What the next checkpoint says.
  virtual Checkpoint make_checkpoint() = 0;
  // Segments that may be deleted after it.
  virtual std::vector<uint64_t> retired_segments() const = 0;
  // A checkpoint is about to be written after a while: retires what can be retired.
  virtual void collect() = 0;
  virtual void on_deleted(const std::vector<uint64_t>& segments) = 0;
  // A checkpoint, and the deletions after it, have succeeded: the disk works.
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

  // Something has changed: a checkpoint is written within 5 s.
  void changed();
  // A checkpoint is written as soon as none is being written. `sync`, or retired segments: it is synced.
  void persist(bool sync);
  void stop_timer() { timers_.cancel_timer(std::exchange(timer_, 0)); }
  // From now on changed() and persist() do nothing.
  void set_closed() { closed_ = true; }
  // After set_closed(). What is returned writes the last checkpoint, into both slots, so that damage to one of them
  // costs nothing; it needs only the disk. There must be a file.
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
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // jobs hold it weakly
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
