#include "bin/analysis/server_looker.h"

#include <chrono>
#include <memory>

namespace monitor {

namespace {

constexpr std::chrono::seconds kLookEvery(2);

}  // namespace

ServerLooker::ServerLooker(const LogFlags& flags, const Clock& clock)
    : flags_(flags), clock_(clock), thread_([this] { run(); }) {}

ServerLooker::~ServerLooker() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

analysis::Servers ServerLooker::servers() const {
  const std::lock_guard lock(mutex_);
  return watch_.judge(clock_.mono_ns());
}

void ServerLooker::run() {
  const auto browser = open_log_browser(flags_);
  if (!browser) return;  // the log's reader tells why
  std::unique_lock lock(mutex_);
  while (!stop_) {
    lock.unlock();
    const auto beats = (*browser)->heartbeats();
    lock.lock();
    if (beats) {
      watch_.take(*beats, clock_.mono_ns());
    } else {
      watch_.forget();
    }
    wake_.wait_for(lock, kLookEvery, [this] { return stop_; });
  }
}

}  // namespace monitor
