// A batch as OTLP metrics (ExportMetricsServiceRequest), and back, without loss. docs/payload.md has the mapping.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "metrics/batch.h"
#include "metrics/decode.h"

namespace monitor::metrics {

std::string to_otlp(const Batch& batch);

// What to_otlp made. Requests of other origin are refused (kInvalidArgument): they have no sequence to be told by.
Result<Batch> from_otlp(std::string_view bytes, const BatchLimits& limits = {});

}  // namespace monitor::metrics
