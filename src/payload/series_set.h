// Series sets: the list of series of a record, with its encoding (docs/payload-v2.md, "The series set").
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "metrics/decode.h"
#include "metrics/series.h"
#include "payload/cursor.h"
#include "payload/forms.h"
#include "payload/table.h"

namespace monitor::payload {

// All texts of a set together: labels that share a prefix take few bytes in the record, and many in memory.
inline constexpr size_t kMaxSetText = size_t{1} << 20;

// What the values of a set's series are computed from.
struct SetPlan {
  // A series that is computed from two others, by their indexes; kNoRow: the set has no such series.
  struct Share {
    uint32_t series = 0;
    uint32_t part = 0;
    uint32_t whole = 0;
  };
  std::vector<Form> usual;       // of each series: its computation, if the record does not say another
  std::vector<uint8_t> integer;  // 1 for a series of integers
  std::vector<uint8_t> part;     // 1 for a series that a share is computed from
  std::vector<Share> shares;     // by series

  size_t size() const { return usual.size(); }
  // `row` of the static table; kNoRow: a literal.
  void add(bool is_integer, uint32_t row);
  // Call after the last add(): finds the parts of shares.
  void finish(std::span<const uint32_t> rows);
};

struct SeriesSet {
  std::vector<metrics::Series> series;
  std::vector<uint32_t> rows;  // of the static table; kNoRow: a literal
  SetPlan plan;
};

// The inline form: a count and the entries. Fails if a reader would refuse it.
Result<std::string> encode_set(std::span<const metrics::Series> series, const metrics::BatchLimits& limits = {});
// Reads the inline form.
SeriesSet get_set(Cursor& in, const metrics::BatchLimits& limits);
// Reads all of `inline_form`.
Result<SeriesSet> read_set(std::string_view inline_form, const metrics::BatchLimits& limits = {});
// The standard set of exactly these series.
std::optional<size_t> standard_set_of(std::span<const metrics::Series> series);
// The same, of series that all are rows.
std::optional<size_t> standard_set_of_rows(std::span<const uint32_t> rows);
// nullptr if there is no set of this number.
std::shared_ptr<const SeriesSet> standard_set(size_t number);

}  // namespace monitor::payload
