// Classic histograms: series that count observations up to the bound in their label "le". Pure functions; the
// algorithms are those of Prometheus (promql/quantile.go).
#pragma once

#include <optional>
#include <vector>

#include "query/annotations.h"

namespace monitor::query {

struct Bucket {
  double upper = 0;  // inclusive
  double count = 0;  // of observations up to it
};

// Returns the q-quantile of the observations, interpolated within its bucket. The buckets may be in any order. NaN if
// there are no observations, or no bucket with the bound +Inf. `fix`: what had to be changed because counts fell;
// nothing otherwise.
double bucket_quantile(double q, std::vector<Bucket> buckets, std::optional<MonotonicityFix>& fix);

// Returns the share of all observations between the two values, interpolated within buckets. NaN as above.
double bucket_fraction(double lower, double upper, std::vector<Bucket> buckets);

}  // namespace monitor::query
