// The difference of two clocks, from one exchange. Pure functions.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "doctor/peers.h"

namespace monitor::doctor {

struct Skew {
  int64_t offset_ns = 0;     // peer minus this host
  int64_t precision_ns = 0;  // the true difference is within offset +- precision
};

// The peer read its clock between asking and answering, and rounded it down to its resolution. Both bound the
// difference; the result is the middle of the bounds and half their distance.
Skew skew_of(const ClockReading& reading);

// The Date header of HTTP (RFC 9110, 5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT". Unix time in nanoseconds. Obsolete forms
// are rejected.
Result<int64_t> parse_http_date(std::string_view text);

}  // namespace monitor::doctor
