// SetMemory: the series sets that a reader has met inline, by their bytes. An agent repeats its set in every record,
// and most agents of a fleet have the same one.
//
// Bounded in bytes: when it is full, it forgets everything. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "metrics/decode.h"
#include "payload/series_set.h"

namespace monitor::payload {

struct KnownSet {
  // Never that of another set of the same memory. 0: a standard set, or one that is not remembered.
  uint64_t id = 0;
  std::shared_ptr<const SeriesSet> set;  // nullptr in a memory of plans
  std::shared_ptr<const SetPlan> plan;
};

class SetMemory {
 public:
  enum class Keep {
    kPlans,   // enough to check values
    kSeries,  // the series as well
  };
  explicit SetMemory(Keep keep) : keep_(keep) {}

  // Reads the set if it is not known.
  Result<KnownSet> find(std::string_view inline_form, const metrics::BatchLimits& limits);

 private:
  static constexpr size_t kMaxBytes = size_t{16} << 20;
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };

  const Keep keep_;
  std::unordered_map<std::string, KnownSet, Hash, std::equal_to<>> known_;
  const std::pair<const std::string, KnownSet>* last_ = nullptr;  // the one that was found last
  size_t bytes_ = 0;
  uint64_t ids_ = 0;
};

}  // namespace monitor::payload
