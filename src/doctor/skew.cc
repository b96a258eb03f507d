#include "doctor/skew.h"

#include <algorithm>
#include <ctime>
#include <string>

#include "base/clock.h"
#include "base/text.h"

namespace monitor::doctor {

Skew skew_of(const ClockReading& reading) {
  const int64_t low = elapsed_ns(reading.answered_ns, reading.peer_ns);
  const int64_t high = elapsed_ns(reading.asked_ns, reading.peer_ns);
  // Halved first: a foreign time may be anything, and the sum of both bounds must not overflow.
  const int64_t half = low / 2 + high / 2;
  const int64_t width = high / 2 - low / 2;
  const int64_t resolution = reading.resolution_ns / 2;
  // Never INT64_MIN, which has no absolute value.
  const int64_t middle = half > INT64_MAX - resolution ? half : half + resolution;
  return {std::max(middle, -INT64_MAX), width + resolution};
}

Result<int64_t> parse_http_date(std::string_view text) {
  constexpr size_t kLength = std::string_view("Sun, 06 Nov 1994 08:49:37 GMT").size();
  std::tm parts{};
  const std::string copy(text.substr(0, kLength));
  const char* const end = strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (text.size() != kLength || end == nullptr || *end != '\0') {
    return Error(Code::kInvalidArgument, "got " + json_quote(text.substr(0, 64)) + ", expected an HTTP date");
  }
  const int64_t seconds = timegm(&parts);
  if (seconds < 0 || seconds > INT64_MAX / kNanosPerSecond) {
    return Error(Code::kOutOfRange, "the date " + json_quote(copy) + " is out of range");
  }
  return seconds * kNanosPerSecond;
}

}  // namespace monitor::doctor
