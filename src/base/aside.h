// Aside: runs a read that may block for long (files on a remote mount) off the loop, one at a time.
//
// Thread contract: call everything on the loop's thread; only `read` runs elsewhere. The destructor waits for the
// pending read, because a thread that sleeps in the kernel cannot be ended. StopGuard ends a process that waits too
// long.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>

#include "base/worker.h"

namespace monitor {

class Aside {
 public:
  explicit Aside(EventLoop& loop) : loop_(loop), worker_(loop) {}
  ~Aside();
  Aside(const Aside&) = delete;
  Aside& operator=(const Aside&) = delete;

  bool idle() const { return job_ == nullptr; }
  // Requires that no read is pending. `done` runs on the loop's thread after `read` has returned, later or inside
  // wait(). If the read takes longer than `patience_ns`, `late` runs once, and `done` still follows.
  void start(std::function<void()> read, std::function<void()> done, int64_t patience_ns, std::function<void()> late);
  // Waits for the pending read, at most `ns`. Returns true if `done` was called or no read is pending.
  bool wait(int64_t ns);

 private:
  struct Job {
    std::mutex mutex;
    std::condition_variable changed;
    bool read = false;           // guarded by the mutex
    std::function<void()> done;  // runs on the loop's thread; empty after it was called
    Timers::TimerId timer = 0;
  };

  void finish(const std::shared_ptr<Job>& job);

  EventLoop& loop_;
  std::shared_ptr<Job> job_;
  ThreadWorker worker_;
};

}  // namespace monitor
