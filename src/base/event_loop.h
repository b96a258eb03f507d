// EventLoop: one thread's epoll, timers, and a door through which other threads hand in work.
//
// Thread contract: everything but post() and stop() belongs to the thread that calls run(). A callback may add, change
// or remove any watch or timer, its own included; a removed one is not called again, even if its event was already
// reported. Timers fire in order of their time, never early, on the monotonic clock; times are in nanoseconds.
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

// What timed work needs of a loop. The simulation and unit tests have their own.
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

// Timers over any clock: whoever owns it asks when the next one is due and runs what is.
class TimerQueue {
 public:
  Timers::TimerId add(int64_t mono_ns, std::function<void()> callback);
  void cancel(Timers::TimerId id);
  // INT64_MAX when there is none.
  int64_t next_due() const;
  // Runs what is due at `now`, in order; what a callback adds for `now` or earlier waits for the next call.
  void run_due(int64_t now);
  bool empty() const { return by_time_.empty(); }

 private:
  std::map<std::pair<int64_t, Timers::TimerId>, std::function<void()>> by_time_;
  std::unordered_map<Timers::TimerId, int64_t> time_of_;
  Timers::TimerId next_id_ = 1;
};

// Timers that a test moves: advance() moves the clock and fires what falls due on the way, each at its own time.
class FakeTimers final : public Timers {
 public:
  const Clock& clock() const override { return clock_; }
  FakeClock& fake_clock() { return clock_; }
  TimerId call_at(int64_t mono_ns, std::function<void()> callback) override {
    return queue_.add(mono_ns, std::move(callback));
  }
  void cancel_timer(TimerId id) override { queue_.cancel(id); }
  void advance(int64_t ns);
  bool idle() const { return queue_.empty(); }

 private:
  FakeClock clock_;
  TimerQueue queue_;
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

  // The descriptor stays the caller's, and must be unwatched before it is closed.
  void watch(int fd, uint32_t events, WatchCallback callback);
  void change_watch(int fd, uint32_t events);
  void unwatch(int fd);

  // Runs `callback` once, at the end of this turn or before the loop next waits: what a turn gathered (output) goes out
  // in one piece, without the cost of a timer. From the loop's thread only.
  void at_turn_end(std::function<void()> callback) { turn_end_.push_back(std::move(callback)); }

  // Runs until stop(). May be called again afterwards.
  void run();
  // One turn: waits for at most `max_wait_ns` (negative: no limit), then handles what is there.
  void run_once(int64_t max_wait_ns);

  // From any thread: `callback` runs on the loop's thread, in the order of posting. Work posted after the last turn
  // of run() is destroyed with the loop, uncalled.
  void post(std::function<void()> callback);
  // From any thread, and from a callback.
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
