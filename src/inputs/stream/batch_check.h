// BatchCheck: checks batches of every version of the payload. Not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "metrics/check.h"
#include "payload/check.h"
#include "payload/decode.h"

namespace monitor::server {

class BatchCheck {
 public:
  explicit BatchCheck(const metrics::BatchLimits& limits) : v1_(limits), v2_(limits) {}

  // A batch of payload v2 does not name its agent, and is taken as one of `agent_id`. The view is valid until the next
  // call.
  Result<metrics::BatchView> check(std::string_view batch, std::string_view agent_id) {
    if (!payload::is_payload(batch)) return v1_.check(batch);
    auto view = v2_.check(batch, agent_id);
    // Both number their lists from 1 on.
    if (view && view->list_id != 0) view->list_id |= kSecondHalf;
    return view;
  }
  // Bytes that contain the series of a checked batch as a MetricBatch does.
  std::string wire_series(std::string_view batch, std::string_view agent_id) const {
    if (!payload::is_payload(batch)) return std::string(batch);
    const auto series = v2_.wire_series(batch, agent_id);
    return series ? *series : "";
  }

 private:
  static constexpr uint64_t kSecondHalf = uint64_t{1} << 63;

  metrics::BatchChecker v1_;
  payload::BatchChecker v2_;
};

}  // namespace monitor::server
