#include "base/event_loop.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <span>

namespace monitor {

namespace {

// Both ways have nanosecond resolution: ticks are neither early by rounding nor late by a millisecond. epoll_pwait2()
// is missing before Linux 5.11, in qemu, and where a container's filter does not know it (EPERM).
int wait_for_events(int epoll_fd, std::span<epoll_event> events, const timespec* timeout) {
  static std::atomic<bool> missing = false;
  const int most = static_cast<int>(events.size());
  if (!missing.load(std::memory_order_relaxed)) {
    const int count = epoll_pwait2(epoll_fd, events.data(), most, timeout, nullptr);
    if (count >= 0 || (errno != ENOSYS && errno != EPERM)) return count;
    missing.store(true, std::memory_order_relaxed);
  }
  pollfd ready{.fd = epoll_fd, .events = POLLIN, .revents = 0};
  const int found = ppoll(&ready, 1, timeout, nullptr);
  return found <= 0 ? found : epoll_wait(epoll_fd, events.data(), most, 0);
}

}  // namespace

Timers::TimerId TimerQueue::add(int64_t mono_ns, std::function<void()> callback) {
  const Timers::TimerId id = next_id_++;
  by_time_.emplace(std::make_pair(mono_ns, id), std::move(callback));
  time_of_.emplace(id, mono_ns);
  return id;
}

void TimerQueue::cancel(Timers::TimerId id) {
  const auto it = time_of_.find(id);
  if (it == time_of_.end()) return;
  by_time_.erase({it->second, id});
  time_of_.erase(it);
}

int64_t TimerQueue::next_due() const { return by_time_.empty() ? INT64_MAX : by_time_.begin()->first.first; }

void TimerQueue::run_due(int64_t now) {
  // Timers that callbacks add during this call have ids at or above this one. They wait for the next call, so that a
  // callback that reschedules itself for "now" cannot starve the loop.
  const Timers::TimerId first_new = next_id_;
  auto it = by_time_.begin();
  while (it != by_time_.end() && it->first.first <= now) {
    if (it->first.second >= first_new) {
      ++it;
      continue;
    }
    auto callback = std::move(it->second);
    time_of_.erase(it->first.second);
    by_time_.erase(it);
    callback();
    it = by_time_.begin();
  }
}

EventLoop::EventLoop(const Clock& clock) : clock_(clock) {
  epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
  wake_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  // Out of descriptors at the start: the program cannot work without a loop.
  if (epoll_fd_ < 0 || wake_fd_ < 0) std::abort();
  watch(wake_fd_, EPOLLIN, [this](uint32_t) { drain_posted(); });
}

EventLoop::~EventLoop() {
  close(wake_fd_);
  close(epoll_fd_);
}

EventLoop::TimerId EventLoop::call_at(int64_t mono_ns, std::function<void()> callback) {
  return timers_.add(mono_ns, std::move(callback));
}

void EventLoop::cancel_timer(TimerId id) { timers_.cancel(id); }

void EventLoop::watch(int fd, uint32_t events, WatchCallback callback) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  [[maybe_unused]] const int rc = epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event);
  assert(rc == 0);
  watches_[fd] = std::make_shared<Watch>(Watch{std::move(callback)});
}

void EventLoop::change_watch(int fd, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  [[maybe_unused]] const int rc = epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, fd, &event);
  assert(rc == 0);
}

void EventLoop::unwatch(int fd) {
  if (watches_.erase(fd) > 0) epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
}

void EventLoop::run() {
  while (!stopping_) run_once(-1);
  stopping_ = false;
}

void EventLoop::run_turn_end() {
  while (!turn_end_.empty()) {
    turn_end_running_.swap(turn_end_);
    for (auto& callback : turn_end_running_) callback();
    turn_end_running_.clear();
  }
}

void EventLoop::run_once(int64_t max_wait_ns) {
  run_turn_end();
  int64_t wait_ns = max_wait_ns < 0 ? INT64_MAX : max_wait_ns;
  const int64_t due = timers_.next_due();
  if (due != INT64_MAX) wait_ns = std::min(wait_ns, std::max<int64_t>(0, due - clock_.mono_ns()));
  timespec timeout{};
  timespec* timeout_ptr = nullptr;
  if (wait_ns != INT64_MAX) {
    timeout.tv_sec = wait_ns / kNanosPerSecond;
    timeout.tv_nsec = wait_ns % kNanosPerSecond;
    timeout_ptr = &timeout;
  }

  std::array<epoll_event, 64> events{};
  const int count = wait_for_events(epoll_fd_, events, timeout_ptr);
  if (count < 0 && errno != EINTR) std::abort();

  timers_.run_due(clock_.mono_ns());
  // If a callback closed an fd and opened a new one with the same number, this event may belong to the old one.
  // Callbacks must tolerate such events (all of ours read until EAGAIN).
  for (int i = 0; i < count; ++i) {
    const auto it = watches_.find(events[static_cast<size_t>(i)].data.fd);
    if (it == watches_.end()) continue;
    const std::shared_ptr<Watch> keep = it->second;
    keep->callback(events[static_cast<size_t>(i)].events);
  }
  run_turn_end();
}

void EventLoop::post(std::function<void()> callback) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = posted_.empty();
    posted_.push_back(std::move(callback));
  }
  if (!first) return;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = write(wake_fd_, &one, sizeof one);
}

void EventLoop::stop() {
  post([this] { stopping_ = true; });
}

void EventLoop::drain_posted() {
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t n = read(wake_fd_, &count, sizeof count);
  std::vector<std::function<void()>> work;
  {
    const std::lock_guard lock(mutex_);
    work.swap(posted_);
  }
  for (auto& callback : work) callback();
}

}  // namespace monitor
