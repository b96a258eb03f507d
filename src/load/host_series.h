// The series of a simulated host. Pure.
#pragma once

#include <cstddef>
#include <vector>

#include "metrics/series.h"

namespace monitor::load {

// The first `count` series: those of the host, then rates for as many devices as needed. All are integers.
std::vector<metrics::Series> host_series(size_t count);

}  // namespace monitor::load
