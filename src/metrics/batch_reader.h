// Reads and checks the parts of a MetricBatch in their wire form. Internal to batch_walker.h, decode.cc and check.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "metrics/batch.h"
#include "metrics/decode.h"

namespace monitor::metrics::wire {

Error malformed(std::string_view where);
Error over(std::string_view what, size_t got, size_t limit);
Status check_text(std::string_view what, std::string_view text, size_t limit);
Status check_incarnation(std::string_view what, std::string_view bytes);

struct LabelView {
  std::string_view key;
  std::string_view value;
};
Result<LabelView> read_label(std::string_view bytes, const BatchLimits& limits);

struct SeriesView {
  std::string_view bytes;
  std::string_view name;
  std::string_view unit;
  Kind kind = Kind::kGauge;
  bool integer = false;
  int64_t exponent = 0;
};
// Checks the labels but does not return them; callers that need labels read them again from `bytes`.
Result<SeriesView> read_series(std::string_view bytes, const BatchLimits& limits);

struct FrameView {
  int64_t time_ns = 0;
  int64_t rates_since_ns = 0;
  std::string_view series;  // packed
  std::string_view ints;
  std::string_view doubles;
  bool continued = false;
};
Result<FrameView> read_frame(std::string_view bytes);

// Number of varints in a packed field; nothing if it is malformed.
std::optional<size_t> count_varints(std::string_view packed);

Result<Counters> read_counters(std::string_view bytes);
Result<Drop> read_drop(std::string_view bytes);
Result<IncarnationEnd> read_end(std::string_view bytes);
Result<OlderIncarnation> read_older(std::string_view bytes);
Result<Elsewhere> read_elsewhere(std::string_view bytes);

}  // namespace monitor::metrics::wire
