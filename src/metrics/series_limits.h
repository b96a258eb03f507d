// Applies the limits of the wire (BatchLimits) to one series where it is created. A server rejects a batch as a whole,
// so one series beyond a limit would cost all others in its batch.
#pragma once

#include <string>

#include "metrics/series.h"

namespace monitor::metrics {

// Makes label values valid UTF-8 of at most BatchLimits::value_bytes. A truncated value ends with the CRC32C of the
// whole one, so that different values stay different. Returns whether it changed anything.
bool fit_labels(Series& series);

// A violation that fit_labels() cannot fix, with value and limit; empty if there is none.
std::string fault_of(const Series& series);

}  // namespace monitor::metrics
