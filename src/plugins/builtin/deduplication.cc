#include "plugins/builtin/deduplication.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "base/clock.h"

namespace monitor::agent {

void Deduplication::initialize(Options& options, metrics::SeriesTable& table) {
  table_ = &table;
  tolerance_ = options.number("tolerance", 0, 0, 1e300);
  max_silence_ns_ =
      options.duration("max_silence", 60 * kNanosPerSecond, kNanosPerMilli, INT64_C(86400) * kNanosPerSecond);
  by_series_ = options.one_of("scope", "tick", {"tick", "series"}) == "series";
}

Deduplication::Last& Deduplication::last(metrics::SeriesId id) {
  if (id >= last_.size()) last_.resize(id + 1);
  return last_[id];
}

bool Deduplication::moved(const metrics::Point& point, int64_t now) {
  const Last& before = last(point.series);
  if (!before.seen) return true;
  if (by_series_ && now - before.mono_ns >= max_silence_ns_) return true;
  const double value = table_->value(point);
  if (std::isnan(value) != std::isnan(before.value)) return true;
  return std::fabs(value - before.value) > tolerance_;
}

bool Deduplication::run_by_series(metrics::Tick& tick) {
  std::erase_if(tick.points, [&](const metrics::Point& point) {
    if (!moved(point, tick.due_mono_ns)) return true;
    last(point.series) = {table_->value(point), tick.due_mono_ns, true};
    return false;
  });
  return !tick.points.empty();
}

bool Deduplication::run_by_tick(metrics::Tick& tick) {
  const bool same_series =
      tick.points.size() == last_series_.size() &&
      std::equal(tick.points.begin(), tick.points.end(), last_series_.begin(),
                 [](const metrics::Point& point, metrics::SeriesId id) { return point.series == id; });
  const bool silent_too_long = !forwarded_any_ || tick.due_mono_ns - last_forwarded_ns_ >= max_silence_ns_;
  const bool any_moved = std::any_of(tick.points.begin(), tick.points.end(),
                                     [&](const metrics::Point& point) { return moved(point, tick.due_mono_ns); });
  if (same_series && !silent_too_long && !any_moved) return false;
  forwarded_any_ = true;
  last_forwarded_ns_ = tick.due_mono_ns;
  last_series_.clear();
  for (const metrics::Point& point : tick.points) {
    last_series_.push_back(point.series);
    last(point.series) = {table_->value(point), tick.due_mono_ns, true};
  }
  return true;
}

void Deduplication::forget_series(const std::vector<metrics::SeriesId>& gone) {
  for (const metrics::SeriesId id : gone) {
    if (id < last_.size()) last_[id] = {};
  }
}

// The state stays within one process, so series numbers and monotonic times remain valid.
std::string Deduplication::save() const {
  std::string state;
  const auto put = [&state](const auto& value) { state.append(reinterpret_cast<const char*>(&value), sizeof value); };
  put(last_forwarded_ns_);
  put(static_cast<uint64_t>(forwarded_any_ ? 1 : 0));
  put(static_cast<uint64_t>(last_series_.size()));
  for (const metrics::SeriesId id : last_series_) put(id);
  for (const Last& one : last_) put(one);
  return state;
}

void Deduplication::restore(std::string_view state) {
  const auto take = [&state](auto& value) {
    if (state.size() < sizeof value) throw std::runtime_error("its state is damaged");
    std::memcpy(&value, state.data(), sizeof value);
    state.remove_prefix(sizeof value);
  };
  if (state.empty()) return;
  uint64_t any = 0;
  uint64_t series = 0;
  take(last_forwarded_ns_);
  take(any);
  take(series);
  forwarded_any_ = any != 0;
  last_series_.resize(std::min<uint64_t>(series, state.size() / sizeof(metrics::SeriesId)));
  for (metrics::SeriesId& id : last_series_) take(id);
  last_.resize(state.size() / sizeof(Last));
  for (Last& one : last_) take(one);
}

bool Deduplication::run(metrics::Tick& tick) { return by_series_ ? run_by_series(tick) : run_by_tick(tick); }

}  // namespace monitor::agent
