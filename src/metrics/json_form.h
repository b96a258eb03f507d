// The JSON forms: one object for each tick, as `get-metrics --format json` prints it, and one for each batch, as a log
// with `--encoding json` stores it. docs/payload.md describes both.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "metrics/batch.h"
#include "metrics/decode.h"

namespace monitor::metrics {

// One object, without a newline. `late` is a finding of the reader. `keep` selects points; empty: all.
std::string tick_to_json(const Batch& batch, size_t frame, bool late,
                         const std::function<bool(const Series&)>& keep = {});

// One object: the envelope's fields and frames[], each with time and metrics[].
std::string batch_to_json(const Batch& batch);
// The inverse of batch_to_json(); null is NaN.
Result<Batch> batch_from_json(std::string_view text, const BatchLimits& limits = {});

}  // namespace monitor::metrics
