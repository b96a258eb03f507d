#include "unusual/score.h"

#include <algorithm>
#include <cmath>

namespace monitor::unusual {

double score(const Extremes& values, const Extremes& known) {
  const double distance = std::max({values.high - known.high, known.low - values.low, 0.0});
  if (distance == 0) return 0;
  const double magnitude = std::max(std::abs(known.low), std::abs(known.high));
  const double range = std::max(known.high - known.low, kLeastRange * magnitude);
  if (std::isinf(range)) return 0;  // the series reaches from one end of the numbers to the other
  return std::isinf(distance) ? 1 : distance / (distance + range);
}

double score(const Extremes& values, std::span<const Extremes> windows) {
  double least = 1;
  for (const Extremes& known : windows) {
    if (!known.empty()) least = std::min(least, score(values, known));
  }
  return least;
}

}  // namespace monitor::unusual
