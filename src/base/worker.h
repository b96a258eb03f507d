// Worker: where a loop sends what may block (a sync of a file). Work is done one after another, in the order in which
// it was handed in, and its end is told on the loop's thread.
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
  // From the loop's thread. `work` runs elsewhere and must not touch what the loop owns; `done` runs on the loop's
  // thread, later, never from inside this call. An owner that may go first guards its `done` itself.
  virtual void submit(std::function<void()> work, std::function<void()> done) = 0;
};

// A thread of its own, begun with the first work. Destroyed, it finishes what was handed in; the `done` of that is
// posted to the loop, which must outlive it.
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

// No thread: the owner says when the next work is done. For tests and simulations.
class ManualWorker final : public Worker {
 public:
  void submit(std::function<void()> work, std::function<void()> done) override {
    jobs_.push_back({std::move(work), std::move(done)});
  }
  bool idle() const { return jobs_.empty(); }
  // False when there is none.
  bool run_one() {
    if (jobs_.empty()) return false;
    const auto job = std::move(jobs_.front());
    jobs_.pop_front();
    job.first();
    job.second();
    return true;
  }
  void run_all() {
    while (run_one()) {
    }
  }
  // The process died before it was done.
  void forget() { jobs_.clear(); }

 private:
  std::deque<std::pair<std::function<void()>, std::function<void()>>> jobs_;
};

}  // namespace monitor
