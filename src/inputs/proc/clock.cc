#include "inputs/proc/clock.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <utility>

#include "base/clock.h"
#include "inputs/proc/collectors.h"

namespace monitor::agent {

namespace {

constexpr int64_t kNanosPerMicro = 1'000;
constexpr int64_t kSmallestStep = 1'000'000;
constexpr int64_t kNarrow = 20'000;  // a reading within so many nanoseconds needs no second one
constexpr int kAttempts = 5;

int64_t now_of(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return time.tv_sec * kNanosPerSecond + time.tv_nsec;
}

// timex.freq is in 1/65536 of a millionth. Returns billionths, rounded.
int64_t billionths(int64_t freq) {
  constexpr int64_t kScale = 65'536;
  const int64_t value = freq * 1'000;
  return (value + (value < 0 ? -kScale / 2 : kScale / 2)) / kScale;
}

}  // namespace

ClockCalls system_clock_calls() {
  return {.adjtimex = [](timex& state) { return ::adjtimex(&state); },
          .real_ns = [] { return now_of(CLOCK_REALTIME); },
          .boot_ns = [] { return now_of(CLOCK_BOOTTIME); }};
}

void ClockCollector::configure(const std::vector<config::MetricSelection>& selections) {
  wanted_ = find_selection(selections, "clock") != nullptr;
  if (wanted_) return;
  distance_.reset();
  steps_ = 0;
}

void ClockCollector::adopt(const Collector& from) {
  const auto& other = static_cast<const ClockCollector&>(from);
  distance_ = other.distance_;
  steps_ = other.steps_;
}

ClockCollector::Distance ClockCollector::distance() const {
  Distance best{0, INT64_MAX};
  for (int i = 0; i < kAttempts && best.width_ns > kNarrow; ++i) {
    const int64_t before = calls_.boot_ns();
    const int64_t real = calls_.real_ns();
    const int64_t width = calls_.boot_ns() - before;
    if (width >= 0 && width < best.width_ns) best = {real - before - width / 2, width};
  }
  return best;
}

void ClockCollector::add(Series which, int64_t value, TickBuilder& out) {
  constexpr std::array<std::string_view, kSeries> kNames = {
      "system.clock.synchronized",  "system.clock.offset",           "system.clock.error.estimated",
      "system.clock.error.maximum", "system.clock.frequency.offset", "system.clock.steps",
      "system.clock.step.size"};
  if (ids_[which] == kNoSeries) ids_[which] = out.intern(kNames[which]);
  out.add_integer(ids_[which], value);
}

void ClockCollector::add_steps(TickBuilder& out) {
  const Distance now = distance();
  if (!distance_) distance_ = now;
  const int64_t step = now.ns - distance_->ns;
  const bool stepped = std::abs(step) > kSmallestStep + now.width_ns / 2 + distance_->width_ns / 2;
  if (stepped) {
    ++steps_;
    distance_ = now;
  }
  add(kSteps, steps_, out);
  if (stepped) add(kStepSize, step, out);
}

Status ClockCollector::collect(const Timestamp& /*now*/, TickBuilder& out) {
  timex state{};
  const int result = calls_.adjtimex(state);
  const int error = errno;
  // A sandbox that protects the clock refuses the call, although it only reads. The steps need no permission.
  if (result == -1 && error != EPERM && error != ENOSYS) {
    return Error(Code::kInternal, fmt::format("adjtimex: {}; the next tick tries again", std::strerror(error)));
  }
  if (result != -1) {
    add(kSynchronized, result == TIME_ERROR ? 0 : 1, out);
    add(kOffset, (state.status & STA_NANO) != 0 ? state.offset : state.offset * kNanosPerMicro, out);
    add(kEstimated, state.esterror, out);
    add(kMaximum, state.maxerror, out);
    add(kFrequency, billionths(state.freq), out);
  }
  add_steps(out);
  return {};
}

std::unique_ptr<Collector> make_clock(const CollectorContext& /*context*/) {
  return std::make_unique<ClockCollector>(system_clock_calls());
}

}  // namespace monitor::agent
