// ManualWorker: a Worker without a thread. Its owner, a test or a simulation, decides when the next item runs.
#pragma once

#include <deque>
#include <functional>
#include <utility>

#include "base/worker.h"

namespace monitor {

class ManualWorker final : public Worker {
 public:
  void submit(std::function<void()> work, std::function<void()> done) override {
    jobs_.push_back({std::move(work), std::move(done)});
  }
  bool idle() const { return jobs_.empty(); }
  // Returns false if the queue is empty.
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
  // Simulates a process that dies before the work is done.
  void forget() { jobs_.clear(); }

 private:
  std::deque<std::pair<std::function<void()>, std::function<void()>>> jobs_;
};

}  // namespace monitor
