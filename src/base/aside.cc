#include "base/aside.h"

#include <chrono>
#include <utility>

namespace monitor {

Aside::~Aside() {
  if (job_ == nullptr) return;
  loop_.cancel_timer(job_->timer);
  job_->done = nullptr;
}

void Aside::start(std::function<void()> read, std::function<void()> done, int64_t patience_ns,
                  std::function<void()> late) {
  auto job = std::make_shared<Job>();
  job->done = std::move(done);
  job->timer = loop_.call_after(patience_ns, std::move(late));
  job_ = job;
  worker_.submit(
      [job, read = std::move(read)] {
        read();
        const std::lock_guard lock(job->mutex);
        job->read = true;
        job->changed.notify_all();
      },
      // The owner may have been destroyed, and `done` with it.
      [this, job] {
        if (job->done != nullptr) finish(job);
      });
}

bool Aside::wait(int64_t ns) {
  const std::shared_ptr<Job> job = job_;
  if (job == nullptr) return true;
  {
    std::unique_lock lock(job->mutex);
    if (!job->changed.wait_for(lock, std::chrono::nanoseconds(ns), [&job] { return job->read; })) return false;
  }
  finish(job);
  return true;
}

void Aside::finish(const std::shared_ptr<Job>& job) {
  loop_.cancel_timer(job->timer);
  job_ = nullptr;
  // `done` may start the next read.
  const auto done = std::exchange(job->done, nullptr);
  done();
}

}  // namespace monitor
