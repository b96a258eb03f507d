// Aside: runs a read that may hang (files on a mount of others) apart from the loop, one at a time.
//
// Everything on the loop's thread but the reads. Destroyed, it waits for the read that is under way, as a thread that
// sleeps in the kernel can be neither ended nor left behind; StopGuard ends a process that waits too long.
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
  // Only while it is idle. `done` runs on the loop's thread, later or in wait(); `late` does when `patience_ns` have
  // passed before that, once.
  void start(std::function<void()> read, std::function<void()> done, int64_t patience_ns, std::function<void()> late);
  // Waits for the read that is under way, for at most so long. True: `done` was called, or there is none.
  bool wait(int64_t ns);

 private:
  struct Job {
    std::mutex mutex;
    std::condition_variable changed;
    bool read = false;           // guarded by the mutex
    std::function<void()> done;  // on the loop's thread; empty when it was called
    Timers::TimerId timer = 0;
  };

  void finish(const std::shared_ptr<Job>& job);

  EventLoop& loop_;
  std::shared_ptr<Job> job_;
  ThreadWorker worker_;
};

}  // namespace monitor
