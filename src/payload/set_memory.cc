#include "payload/set_memory.h"

#include <utility>

namespace monitor::payload {

namespace {

// About what a set takes in memory.
size_t size_of(const SeriesSet& set, bool with_series) {
  constexpr size_t kPlanned = sizeof(Form) + 1;
  size_t bytes = 256 + set.series.size() * kPlanned;
  if (!with_series) return bytes;
  for (const metrics::Series& series : set.series) {
    bytes += sizeof series + series.name.size() + series.unit.size();
    for (const auto& [key, value] : series.labels) bytes += 2 * sizeof key + key.size() + value.size();
  }
  return bytes;
}

}  // namespace

Result<KnownSet> SetMemory::find(std::string_view inline_form, const metrics::BatchLimits& limits) {
  if (last_ != nullptr && last_->first == inline_form) return last_->second;
  if (const auto found = known_.find(inline_form); found != known_.end()) {
    last_ = &*found;
    return found->second;
  }
  auto read = read_set(inline_form, limits);
  if (!read) return read.error();
  const size_t bytes = inline_form.size() + size_of(*read, keep_ == Keep::kSeries);
  KnownSet known;
  if (keep_ == Keep::kSeries) {
    known.set = std::make_shared<const SeriesSet>(std::move(*read));
    known.plan = std::shared_ptr<const SetPlan>(known.set, &known.set->plan);
  } else {
    known.plan = std::make_shared<const SetPlan>(std::move(read->plan));
  }
  if (bytes > kMaxBytes) return known;
  if (bytes_ + bytes > kMaxBytes) {
    known_.clear();
    bytes_ = 0;
  }
  bytes_ += bytes;
  known.id = ++ids_;
  last_ = &*known_.emplace(inline_form, std::move(known)).first;
  return last_->second;
}

}  // namespace monitor::payload
