// What a record is written from: the frames of a batch with their values in one list. Internal to the encoders.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "metrics/batch.h"
#include "payload/series_set.h"

namespace monitor::payload {

struct FrameHead {
  int64_t time_ns = 0;
  int64_t rates_since_ns = 0;
  int64_t elapsed_ns = 0;  // what its rates are divided by
  uint32_t shape = 0;      // index of its list of series
  bool continued = false;
  size_t first = 0;  // of its values

  // The elapsed time that a reader takes if the record does not say another.
  int64_t usual_elapsed_ns() const {
    if (rates_since_ns == 0) return 0;
    return static_cast<int64_t>(static_cast<uint64_t>(time_ns) - static_cast<uint64_t>(rates_since_ns));
  }
};

// Indexes of series, in the order of a frame's values.
using Shape = std::vector<uint32_t>;

struct Content {
  const metrics::Envelope& envelope;
  std::span<const FrameHead> frames;
  std::span<const Shape> shapes;     // each of them is in use
  std::span<const uint64_t> values;  // integers, or the bits of doubles
  const SetPlan* plan = nullptr;     // nullptr: there are no frames
  std::optional<size_t> standard = std::nullopt;
  std::string_view inline_set = {};  // if it is no standard set

  // Whether every frame has every series, in order.
  bool is_whole() const;
};

}  // namespace monitor::payload
