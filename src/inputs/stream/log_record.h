// LogRecord: a batch as the metric log stores it (docs/payload.md): headers, and the received bytes or another form
// of them.
//
// The views that record() returns point into the object, the batch and its view. Not thread-safe.
#pragma once

#include <fmt/format.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "inputs/stream/options.h"
#include "metriclog/log.h"
#include "metrics/check.h"

namespace monitor::server {

class LogRecord {
 public:
  LogRecord(const metrics::BatchView& view, std::string_view batch, const IngestOptions& options);
  LogRecord(const LogRecord&) = delete;
  LogRecord& operator=(const LogRecord&) = delete;

  // Error: the batch cannot be converted.
  Result<metriclog::RecordView> record();

 private:
  const metrics::BatchView& view_;
  const std::string_view batch_;
  const IngestOptions& options_;
  std::array<char, 2 * metrics::kIncarnationBytes> incarnation_{};
  const fmt::format_int sequence_;
  const fmt::format_int revision_;
  std::array<std::pair<std::string_view, std::string_view>, 5> headers_;
  std::string converted_;
};

}  // namespace monitor::server
