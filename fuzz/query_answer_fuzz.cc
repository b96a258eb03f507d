// The answer of an HTTP API that a rollout is judged by.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "config/rollout/query_answer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto found = monitor::config::rollout::parse_query_answer({reinterpret_cast<const char*>(data), size});
  if (!found) return 0;
  for (const auto& series : *found) {
    for (size_t i = 1; i < series.points.size(); ++i) {
      if (series.points[i].time_ms <= series.points[i - 1].time_ms) std::abort();
    }
  }
  return 0;
}
