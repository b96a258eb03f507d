// The simulation's clock: one queue of events for the whole world. Running the next event advances the clock to its
// time; simultaneous events run in the order in which they were added. Single-threaded.
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
  using Id = uint64_t;  // never 0

  int64_t now_ns() const { return now_; }
  Id at(int64_t time_ns, std::function<void()> run);
  Id after(int64_t delay_ns, std::function<void()> run) { return at(now_ + delay_ns, std::move(run)); }
  void cancel(Id id);
  // Runs the next event if it is due by `until_ns`. False: there is none, and the clock is now `until_ns`.
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

// A machine's clocks. The wall clock can be stepped; the monotonic clock has its own start.
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

// Owned by a process: callbacks that it scheduled without a timer do not run after its death.
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
