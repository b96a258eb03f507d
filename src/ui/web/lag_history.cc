#include "ui/web/lag_history.h"

#include <algorithm>
#include <utility>

namespace monitor::analysis::web {

void LagHistory::add(Sample sample) {
  if (!fine_.empty() && sample.time_ns <= fine_.back().time_ns) return;
  while (sample.lags.size() > kMostReaders) sample.lags.erase(std::prev(sample.lags.end()));
  const int64_t now = sample.time_ns;
  if (coarse_.empty() || coarse_.back().time_ns / kCoarseStep != now / kCoarseStep) {
    coarse_.push_back(sample);
  } else {
    Sample& last = coarse_.back();
    last.time_ns = now;
    last.stored = sample.stored;
    for (const auto& [reader, lag] : sample.lags) {
      // A reader that has left within the step must not let others exceed the bound.
      if (last.lags.size() >= kMostReaders && !last.lags.contains(reader)) continue;
      int64_t& largest = last.lags.try_emplace(reader, lag).first->second;
      largest = std::max(largest, lag);
    }
  }
  fine_.push_back(std::move(sample));
  while (fine_.front().time_ns <= now - kFineFor) fine_.pop_front();
  while (coarse_.front().time_ns <= now - kKeptFor) coarse_.pop_front();
}

LagHistory::Result LagHistory::past(int64_t span_ns, int64_t now_ns) const {
  const bool fine = span_ns <= kFineFor;
  Result result{.step_ns = fine ? kStep : kCoarseStep, .samples = {}};
  for (const Sample& one : fine ? fine_ : coarse_) {
    if (one.time_ns > now_ns - span_ns) result.samples.push_back(&one);
  }
  return result;
}

int64_t LagHistory::since_ns() const {
  // The newest sample in a coarse step hides when it began.
  const int64_t fine = fine_.empty() ? 0 : fine_.front().time_ns;
  const int64_t coarse = coarse_.empty() ? 0 : coarse_.front().time_ns;
  return std::min(fine, coarse);
}

}  // namespace monitor::analysis::web
