#include "unusual/baseline.h"

#include <algorithm>

namespace monitor::unusual {

namespace {

size_t modulo(int64_t hour, size_t size) {
  const auto by = static_cast<int64_t>(size);
  return static_cast<size_t>((hour % by + by) % by);
}

}  // namespace

void Baseline::mark(int64_t hour) {
  constexpr size_t kBits = kWords * kWordBits;
  const auto bit = [](int64_t at) { return modulo(at, kBits); };
  if (newest_ != INT64_MIN && hour <= newest_ - static_cast<int64_t>(kBits)) return;
  if (newest_ == INT64_MIN || hour - newest_ >= static_cast<int64_t>(kBits)) {
    with_data_ = {};
  } else {
    for (int64_t skipped = newest_ + 1; skipped <= hour; ++skipped) {
      with_data_[bit(skipped) / kWordBits] &= ~(uint64_t{1} << (bit(skipped) % kWordBits));
    }
  }
  newest_ = std::max(newest_, hour);
  with_data_[bit(hour) / kWordBits] |= uint64_t{1} << (bit(hour) % kWordBits);
}

void Baseline::add_step(Steps& steps, Step added, int64_t oldest) {
  steps.erase(steps.begin(), std::ranges::lower_bound(steps, oldest, {}, &Step::hour));
  if (added.hour < oldest) return;
  auto at = std::ranges::lower_bound(steps, added.hour, {}, &Step::hour);
  // Values descend: if the next one is smaller, all later ones are.
  if (at != steps.end() && at->value >= added.value) return;
  if (at != steps.end() && at->hour == added.hour) at = steps.erase(at);
  auto first = at;
  while (first != steps.begin() && std::prev(first)->value <= added.value) --first;
  at = steps.erase(first, at);
  steps.insert(at, added);
}

void Baseline::add(int64_t hour, const Extremes& extremes) {
  if (extremes.empty()) return;
  mark(hour);
  // No window that ends after the newest hour reaches further back.
  const int64_t oldest = newest_ + 1 - kLongestHours;
  add_step(lows_, {hour, -extremes.low}, oldest);
  add_step(highs_, {hour, extremes.high}, oldest);
}

const Baseline::Step* Baseline::first_from(const Steps& steps, int64_t hour) {
  const auto found = std::ranges::lower_bound(steps, hour, {}, &Step::hour);
  return found == steps.end() ? nullptr : &*found;
}

int64_t Baseline::hours(int64_t end) const {
  constexpr size_t kBits = kWords * kWordBits;
  if (newest_ == INT64_MIN) return 0;
  int64_t count = 0;
  for (int64_t hour = std::max(end - kLongestHours, newest_ - kLongestHours); hour <= std::min(newest_, end - 1);
       ++hour) {
    const size_t bit = modulo(hour, kBits);
    count += static_cast<int64_t>(with_data_[bit / kWordBits] >> (bit % kWordBits) & 1U);
  }
  return count;
}

std::optional<Baseline::Windows> Baseline::windows(int64_t end) const {
  if (hours(end) < kLeastHours) return std::nullopt;
  Windows found;
  for (size_t i = 0; i < found.size(); ++i) {
    if (const Step* const low = first_from(lows_, end - kWindowHours[i])) found[i].low = -low->value;
    if (const Step* const high = first_from(highs_, end - kWindowHours[i])) found[i].high = high->value;
  }
  return found;
}

}  // namespace monitor::unusual
