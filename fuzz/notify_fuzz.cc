// The configuration of notifications, the matchers of silences, stored notifications, and the log and the silences that
// instances share: any text must be refused or read, within its limits; what is read can be written and read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "notify/config.h"
#include "notify/matchers.h"
#include "notify/notification.h"
#include "notify/shared_log.h"
#include "notify/silence.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace monitor::notify;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const monitor::query::Labels labels({{"alertname", "a"}, {"agent", "web-1"}});
  if (data[0] == 'S') {
    const auto shared = decode_silence(text);
    if (!shared) return 0;
    const auto again = decode_silence(encode_silence(shared->silence, shared->editor));
    if (!again || is_newer(again->silence, shared->silence)) abort();
    return 0;
  }
  switch (data[0] % 4) {
    case 0: {
      const ParsedConfig parsed = parse_config(text);
      if (!parsed.faults.empty()) break;
      if (parsed.config.routes_of(labels).empty()) abort();  // every alert has a route
      for (const NamedIntervals& one : parsed.config.time_intervals) (void)contains(one, 1'700'000'000'000);
      break;
    }
    case 1: {
      const auto matchers = parse_matcher_list(text);
      if (!matchers) break;
      const auto again = parse_matcher_list(to_string(*matchers));
      // The form with quotes may be longer than the limit.
      if (!again && to_string(*matchers).size() <= kMaxMatcherBytes) abort();
      if (again && matches_all(*again, labels) != matches_all(*matchers, labels)) abort();
      break;
    }
    case 2: {
      const auto notification = parse_notification(text);
      if (notification && !parse_notification(webhook_json(*notification))) abort();
      break;
    }
    default: {
      const auto entries = decode_entries(text);
      if (!entries) break;
      const auto again = encode_entries(*entries, size_t{1} << 24);
      if (again && !decode_entries(*again)) abort();
    }
  }
  return 0;
}
