// EventLoop: epoll and timers on one thread, and a queue for work from other threads.
//
// Thread contract: everything but post() and stop() belongs to the thread that calls run(). A callback may add, change
// or remove any watch or timer, including its own. A removed one is never called, even if its event was already
// reported. Timers fire in order, never early, by the monotonic clock; times are in nanoseconds.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace monitor {

// The interface for timed work. Simulation and unit tests have their own implementations.
class Timers {
 public:
  using TimerId = uint64_t;  // 0 is never a timer
  virtual ~Timers() = default;
  virtual const Clock& clock() const = 0;
  virtual TimerId call_at(int64_t mono_ns, std::function<void()> callback) = 0;
  // Cancelling a timer that has fired, or 0, does nothing.
  virtual void cancel_timer(TimerId id) = 0;

  TimerId call_after(int64_t delay_ns, std::function<void()> callback) {
    return call_at(clock().mono_ns() + delay_ns, std::move(callback));
  }
};

// Timers over any clock: the owner asks for the next due time and runs due timers.
class TimerQueue {
 public:
  Timers::TimerId add(int64_t mono_ns, std::function<void()> callback);
  void cancel(Timers::TimerId id);
  // INT64_MAX when there is none.
  int64_t next_due() const;
  // Runs all timers due at `now`, in order. Timers that a callback adds for `now` or earlier wait for the next call.
  void run_due(int64_t now);
  bool empty() const { return by_time_.empty(); }

 private:
  std::map<std::pair<int64_t, Timers::TimerId>, std::function<void()>> by_time_;
  std::unordered_map<Timers::TimerId, int64_t> time_of_;
  Timers::TimerId next_id_ = 1;
};

class EventLoop final : public Timers {
 public:
  // Receives the epoll event bits.
  using WatchCallback = std::function<void(uint32_t events)>;

  explicit EventLoop(const Clock& clock);
  ~EventLoop() override;
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  const Clock& clock() const override { return clock_; }
  TimerId call_at(int64_t mono_ns, std::function<void()> callback) override;
  void cancel_timer(TimerId id) override;

  // The caller keeps the descriptor, and must unwatch it before closing it.
  void watch(int fd, uint32_t events, WatchCallback callback);
  void change_watch(int fd, uint32_t events);
  void unwatch(int fd);

  // Runs `callback` once at the end of this turn, before the loop waits. Batches output of a turn without the cost of a
  // timer. Loop's thread only.
  void at_turn_end(std::function<void()> callback) { turn_end_.push_back(std::move(callback)); }

  // Runs until stop(). May be called again afterwards.
  void run();
  // One turn: waits at most `max_wait_ns` (negative: no limit), then handles all events.
  void run_once(int64_t max_wait_ns);

  // Any thread. `callback` runs on the loop's thread, in posting order. Work posted after the last turn of run() is
  // destroyed with the loop without being called.
  void post(std::function<void()> callback);
  // Any thread, also from a callback.
  void stop();

 private:
  struct Watch {
    WatchCallback callback;
  };

  void drain_posted();
  void run_turn_end();

  const Clock& clock_;
  int epoll_fd_ = -1;
  int wake_fd_ = -1;
  bool stopping_ = false;
  TimerQueue timers_;
  std::vector<std::function<void()>> turn_end_;
  std::vector<std::function<void()>> turn_end_running_;  // kept for its memory
  // Held by shared_ptr, so that a callback that removes itself outlives its own call.
  std::unordered_map<int, std::shared_ptr<Watch>> watches_;

  std::mutex mutex_;  // guards posted_
  std::vector<std::function<void()>> posted_;
};

}  // namespace monitor
