#include "metriclog/start_at.h"

#include "base/text.h"
#include "base/time_format.h"

namespace monitor::metriclog {

Result<StartAt> parse_start(std::string_view text, int64_t now_ns) {
  if (text == "latest") return StartAt{.kind = StartAt::Kind::kLatest};
  if (text == "earliest") return StartAt{.kind = StartAt::Kind::kEarliest};
  if (text.starts_with('-')) {
    const auto age = parse_duration(text.substr(1));
    // -60 may mean minutes to one and seconds to another.
    const bool has_unit = text.find_first_not_of("-.0123456789") != std::string_view::npos;
    if (age && (has_unit || *age == 0)) return StartAt{.kind = StartAt::Kind::kTime, .time_ns = now_ns - *age};
  } else if (const auto time = parse_rfc3339(text)) {
    return StartAt{.kind = StartAt::Kind::kTime, .time_ns = *time};
  }
  return Error(Code::kInvalidArgument,
               "got " + json_quote(text) +
                   ", expected latest, earliest, a time (2026-11-22T12:00:00Z) or an age with its unit (-10m)");
}

}  // namespace monitor::metriclog
