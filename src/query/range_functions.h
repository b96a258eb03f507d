// What the functions on range vectors compute. The formulas are those of Prometheus
// (https://prometheus.io/docs/prometheus/latest/querying/functions/).
#pragma once

#include <optional>

#include "query/functions.h"

namespace monitor::query::range {

// Returns the increase of a counter, or the change of a gauge. It is extrapolated to those ends of the window that the
// samples come close enough to.
std::optional<double> rate(const Window& window);
std::optional<double> increase(const Window& window);
std::optional<double> delta(const Window& window);
// Uses only the last two samples.
std::optional<double> irate(const Window& window);
std::optional<double> idelta(const Window& window);

// Fits a line by least squares.
std::optional<double> deriv(const Window& window);
// Double exponential smoothing, with a factor for smoothing and one for the trend.
std::optional<double> smoothed(const Window& window);
std::string check_smoothing(std::span<const double> parameters);
std::optional<double> predict_linear(const Window& window);

std::optional<double> changes(const Window& window);
std::optional<double> resets(const Window& window);

std::optional<double> avg(const Window& window);
std::optional<double> sum(const Window& window);
std::optional<double> min(const Window& window);
std::optional<double> max(const Window& window);
std::optional<double> count(const Window& window);
std::optional<double> stddev(const Window& window);
std::optional<double> stdvar(const Window& window);
std::optional<double> quantile_of(const Window& window);
std::optional<double> median_deviation(const Window& window);
std::optional<double> first(const Window& window);
std::optional<double> last(const Window& window);
std::optional<double> present(const Window& window);
// Returns the sample's time, in seconds since 1970.
std::optional<double> time_of_first(const Window& window);
std::optional<double> time_of_last(const Window& window);
std::optional<double> time_of_min(const Window& window);
std::optional<double> time_of_max(const Window& window);

}  // namespace monitor::query::range
