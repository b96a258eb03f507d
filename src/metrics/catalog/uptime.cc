// Declaration of the uptime's collector: inputs/proc/load.h.
#include <array>

#include "metrics/catalog/catalog.h"

namespace monitor::metrics::catalog {

namespace {

constexpr std::array kSelectors = {
    SelectorSpec{.name = "uptime", .since = "0.1.0", .description = "Seconds since the host booted"},
};

constexpr std::array kMetrics = {
    MetricSpec{
        .name = "system.uptime",
        .title = "Uptime",
        .unit = "s",
        .exponent = kHundredths,
        .selectors = "uptime",
        .typical = 86'400,
        .description = "Time since the host started.",
        .source = "`uptime` ([proc_uptime(5)](https://man7.org/linux/man-pages/man5/proc_uptime.5.html))",
        .formula = "first field",
        .rules = "in a container: the host's uptime; with lxcfs: the container's",
        .equals = "`uptime`, now - psutil `boot_time()`",
    },
};

}  // namespace

constinit const CollectorSpec uptime = {.name = "uptime", .selectors = kSelectors, .metrics = kMetrics};

}  // namespace monitor::metrics::catalog
