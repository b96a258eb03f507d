// For tests: a reader for which time passes. Each poll that finds nothing advances the clock by its timeout.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/testing/fake_clock.h"
#include "metriclog/log.h"

namespace monitor::metriclog {

// `clock` outlives the reader.
class TimedReader final : public LogReader {
 public:
  TimedReader(std::unique_ptr<LogReader> inner, FakeClock& clock) : inner_(std::move(inner)), clock_(clock) {}
  Result<std::vector<ReaderEvent>> poll(int64_t timeout_ns) override {
    auto events = inner_->poll(0);
    if (events.ok() && events->empty()) clock_.advance(timeout_ns);
    return events;
  }
  Status store(std::span<const Snapshot> snapshots) override { return inner_->store(snapshots); }
  void wake() override { inner_->wake(); }

 private:
  std::unique_ptr<LogReader> inner_;
  FakeClock& clock_;
};

}  // namespace monitor::metriclog
