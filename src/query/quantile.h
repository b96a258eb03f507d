// The quantile of a set of values, interpolated between neighbours.
#pragma once

#include <vector>

namespace monitor::query {

// Returns the q-quantile for q in [0, 1]; -Inf and +Inf for a lower and a higher q; NaN for a q of NaN and for no
// values. A NaN among the values counts as the smallest one.
double quantile(double q, std::vector<double> values);

}  // namespace monitor::query
