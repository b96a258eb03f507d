// The quantile of a set of values, interpolated between neighbours.
#pragma once

#include <vector>

namespace monitor::query {

// Between 0 and 1; -Inf and +Inf for less and more, NaN for NaN and for no values. A NaN counts as the smallest value.
double quantile(double q, std::vector<double> values);

}  // namespace monitor::query
