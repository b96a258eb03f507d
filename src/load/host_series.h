// The series that a simulated host has. Pure.
#pragma once

#include <cstddef>
#include <vector>

#include "metrics/series.h"

namespace monitor::load {

// The first `count` of: what a host has once, then its devices' rates, of as many devices as it takes. All are
// integers.
std::vector<metrics::Series> host_series(size_t count);

}  // namespace monitor::load
