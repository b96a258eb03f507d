#include "query/quantile.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace monitor::query {

double quantile(double q, std::vector<double> values) {
  if (values.empty() || std::isnan(q)) return std::numeric_limits<double>::quiet_NaN();
  if (q < 0) return -std::numeric_limits<double>::infinity();
  if (q > 1) return std::numeric_limits<double>::infinity();
  std::ranges::sort(values, [](double a, double b) { return std::isnan(a) ? !std::isnan(b) : a < b; });
  const double rank = q * static_cast<double>(values.size() - 1);
  const auto lower = static_cast<size_t>(std::floor(rank));
  const size_t upper = std::min(lower + 1, values.size() - 1);
  const double weight = rank - std::floor(rank);
  // The value above may be infinite, and 0 times it is NaN.
  if (weight == 0) return values[lower];
  return values[lower] * (1 - weight) + values[upper] * weight;
}

}  // namespace monitor::query
