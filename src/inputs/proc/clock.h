// The host's clock: what adjtimex(2) says of it, and its steps.
//
// A step is a change of CLOCK_REALTIME against CLOCK_BOOTTIME. Both run at the same, adjusted speed, also while the
// host sleeps, so only a set clock (or a leap second) moves one against the other. Small steps add up until they are
// seen.
#pragma once

#include <sys/timex.h>

#include <array>
#include <cstdint>
#include <functional>
#include <optional>

#include "inputs/collector.h"

namespace monitor::agent {

// The system calls, which tests replace.
struct ClockCalls {
  std::function<int(timex&)> adjtimex;  // as adjtimex(2): -1 and errno, or the clock's state
  std::function<int64_t()> real_ns, boot_ns;
};
ClockCalls system_clock_calls();

class ClockCollector final : public Collector {
 public:
  explicit ClockCollector(ClockCalls calls) : calls_(std::move(calls)) {}
  void configure(const std::vector<config::MetricSelection>& selections) override;
  bool wanted() const override { return wanted_; }
  void adopt(const Collector& from) override;
  void forget_series() override { ids_.fill(kNoSeries); }
  Status collect(const Timestamp& now, TickBuilder& out) override;

 private:
  enum Series : uint8_t { kSynchronized, kOffset, kEstimated, kMaximum, kFrequency, kSteps, kStepSize, kSeries };
  // CLOCK_REALTIME - CLOCK_BOOTTIME, and how far that can be off because time passes between two calls.
  struct Distance {
    int64_t ns = 0;
    int64_t width_ns = 0;
  };

  Distance distance() const;
  void add_steps(TickBuilder& out);
  void add(Series which, int64_t value, TickBuilder& out);

  ClockCalls calls_;
  bool wanted_ = false;
  std::optional<Distance> distance_;  // at the last step, or at the first reading
  int64_t steps_ = 0;
  std::array<metrics::SeriesId, kSeries> ids_{kNoSeries, kNoSeries, kNoSeries, kNoSeries,
                                              kNoSeries, kNoSeries, kNoSeries};
};

}  // namespace monitor::agent
