// Worker: runs blocking work (such as an fsync) off the event loop, in the order of submission, and reports its
// completion on the loop's thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

#include "base/event_loop.h"

namespace monitor {

class Worker {
 public:
  virtual ~Worker() = default;
  // Called on the loop's thread. `work` runs elsewhere and must not touch the loop's data. `done` runs later on the
  // loop's thread, never from inside this call. An owner that may be destroyed earlier must guard its `done`.
  virtual void submit(std::function<void()> work, std::function<void()> done) = 0;
};

// Runs work on a thread that starts with the first item. The destructor finishes the queue and posts each `done` to the
// loop, which must outlive it.
class ThreadWorker final : public Worker {
 public:
  explicit ThreadWorker(EventLoop& loop) : loop_(loop) {}
  ~ThreadWorker() override;
  ThreadWorker(const ThreadWorker&) = delete;
  ThreadWorker& operator=(const ThreadWorker&) = delete;

  void submit(std::function<void()> work, std::function<void()> done) override;

 private:
  struct Job {
    std::function<void()> work;
    std::function<void()> done;
  };
  void run();

  EventLoop& loop_;
  std::mutex mutex_;  // guards the rest
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace monitor
