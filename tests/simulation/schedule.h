// The simulation's time: one queue of events for everything that happens anywhere. Running the next event moves the
// clock to it; events of one moment run in the order in which they were added. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/event_loop.h"

namespace monitor::simulation {

class Schedule {
 public:
  using Id = uint64_t;  // 0 is never one

  int64_t now_ns() const { return now_; }
  Id at(int64_t time_ns, std::function<void()> run);
  Id after(int64_t delay_ns, std::function<void()> run) { return at(now_ + delay_ns, std::move(run)); }
  void cancel(Id id);
  // Runs the next event, if it is due by then. False: there is none, and the clock stands at `until_ns`.
  bool step(int64_t until_ns);

 private:
  struct Slot {
    std::function<void()> run;
    uint32_t generation = 1;
  };
  struct Entry {
    int64_t time;
    uint64_t order;
    uint32_t slot;
    uint32_t generation;
  };
  static bool later(const Entry& a, const Entry& b) { return a.time != b.time ? a.time > b.time : a.order > b.order; }
  void release(uint32_t slot);

  int64_t now_ = 0;
  uint64_t order_ = 0;
  std::vector<Entry> heap_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
};

// A machine's clocks: its wall clock can be stepped; its monotonic clock begins somewhere of its own.
class Host final : public Timers, private Clock {
 public:
  Host(Schedule& schedule, int64_t mono_offset_ns) : schedule_(schedule), mono_offset_(mono_offset_ns) {}

  const Clock& clock() const override { return *this; }
  TimerId call_at(int64_t mono_ns, std::function<void()> callback) override {
    return schedule_.at(mono_ns - mono_offset_, std::move(callback));
  }
  void cancel_timer(TimerId id) override { schedule_.cancel(id); }
  void step_wall(int64_t ns) { wall_offset_ += ns; }
  Schedule& schedule() { return schedule_; }

 private:
  static constexpr int64_t kEpoch = 1'700'000'000 * kNanosPerSecond;
  int64_t wall_ns() const override { return kEpoch + schedule_.now_ns() + wall_offset_; }
  int64_t mono_ns() const override { return schedule_.now_ns() + mono_offset_; }

  Schedule& schedule_;
  int64_t mono_offset_;
  int64_t wall_offset_ = 0;
};

// Held by a process: what it scheduled without a timer of its own does not run once it is dead.
class Life {
 public:
  template <typename F>
  auto guard(F&& run) const {
    return [alive = std::weak_ptr<char>(alive_), run = std::forward<F>(run)]() mutable {
      if (!alive.expired()) run();
    };
  }

 private:
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace monitor::simulation
