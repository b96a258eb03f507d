// A batch as OTLP metrics (ExportMetricsServiceRequest), and back, without loss. docs/payload.md has the mapping.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "metrics/batch.h"
#include "metrics/decode.h"

namespace monitor::metrics {

std::string to_otlp(const Batch& batch);

// The inverse of to_otlp(). Requests of other origin are rejected (kInvalidArgument), since they have no sequence.
Result<Batch> from_otlp(std::string_view bytes, const BatchLimits& limits = {});

}  // namespace monitor::metrics
