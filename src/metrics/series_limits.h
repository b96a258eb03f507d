// The limits of the wire (BatchLimits) for one series, kept where series are made: a server refuses a batch whole, so
// that one series over a limit would cost all others of its batch.
#pragma once

#include <string>

#include "metrics/series.h"

namespace monitor::metrics {

// Makes label values valid UTF-8 and at most BatchLimits::value_bytes long. What is cut ends with the CRC32C of all of
// it, so that two values stay two. Whether something was changed.
bool fit_labels(Series& series);

// What is wrong with it that fit_labels() cannot mend, with the figure and the limit; empty: nothing.
std::string fault_of(const Series& series);

}  // namespace monitor::metrics
