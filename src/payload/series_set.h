// Series sets: the list of series of a record, with its encoding, its name, and a store of sets by name. A record has
// its set inline, or names it (docs/payload-v2.md, "The series set").
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "metrics/decode.h"
#include "metrics/series.h"
#include "payload/cursor.h"

namespace monitor::payload {

inline constexpr size_t kSetNameBytes = 16;
// All texts of a set together: labels that share a prefix take few bytes in the record, and many in memory.
inline constexpr size_t kMaxSetText = size_t{1} << 20;
inline constexpr uint32_t kNoRow = UINT32_MAX;

struct SeriesSet {
  std::vector<metrics::Series> series;
  std::vector<uint32_t> rows;  // of the static table; kNoRow: a literal
};

// The inline form: a count and the entries. Fails if a reader would refuse it.
Result<std::string> encode_set(std::span<const metrics::Series> series, const metrics::BatchLimits& limits = {});
// Reads the inline form.
SeriesSet get_set(Cursor& in, const metrics::BatchLimits& limits);
// The first 16 bytes of the SHA-256 of the inline form.
std::string name_of_set(std::string_view inline_form);
// The standard set of exactly these series.
std::optional<size_t> standard_set_of(std::span<const metrics::Series> series);
// nullptr if there is no set of this number.
std::shared_ptr<const SeriesSet> standard_set(size_t number);

// Sets by name, bounded by the number of their series; the sets that were added first make room. Not thread-safe.
class SeriesSets {
 public:
  explicit SeriesSets(size_t max_series = 200'000) : max_series_(max_series) {}

  // Adds the inline form that has this name. kDataLoss if its digest is another: the bytes are damaged, or somebody
  // wrote another set under the name. Nothing changes then.
  Status add(std::string_view name, std::string_view inline_form, const metrics::BatchLimits& limits = {});
  // nullptr if the set is not known.
  std::shared_ptr<const SeriesSet> find(std::string_view name) const;
  size_t size() const { return sets_.size(); }

 private:
  size_t max_series_;
  size_t series_ = 0;
  std::unordered_map<std::string, std::shared_ptr<const SeriesSet>> sets_;
  std::deque<std::string> order_;
};

}  // namespace monitor::payload
