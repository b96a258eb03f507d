// Numbers of the format that both encode.cc and decode.cc need, and the rules that they share. Internal to them.
#pragma once

#include <cstdint>

#include "metrics/batch.h"
#include "payload/envelope.h"
#include "payload/forms.h"
#include "payload/table.h"

namespace monitor::payload {

// How rates_since is coded.
enum class Rates : uint64_t { kNone = 0, kRegular = 1, kColumn = 2 };
inline constexpr uint64_t kElapsedFollows = 4;  // added to it

// How the series set is coded: inline with its size before it; larger numbers are a standard set + kFirstStandard.
inline constexpr uint64_t kInline = 0;
inline constexpr uint64_t kFirstStandard = 1;

// The head of a column of doubles.
inline constexpr char kEachBits = 0;
inline constexpr char kEqualBits = 1;

// The time between two frames that needs no bits.
inline uint64_t nominal_units(uint64_t send_every_ns, size_t frames, uint64_t flags) {
  return frames == 0 ? 0 : send_every_ns / unit_ns(flags) / frames;
}

inline Form default_form(bool integer, uint32_t row) {
  if (row != kNoRow) return table()[row].form;
  return integer ? Form::kCount : Form::kBits;
}

}  // namespace monitor::payload
