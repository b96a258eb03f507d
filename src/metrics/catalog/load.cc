// Declaration of the load averages' collector: inputs/proc/load.h.
#include <array>

#include "metrics/catalog/catalog.h"

namespace monitor::metrics::catalog {

namespace {

constexpr std::array kSelectors = {
    SelectorSpec{.name = "load", .since = "0.1.0", .description = "Load averages"},
};

constexpr std::array kMetrics = {
    MetricSpec{
        .name = "system.cpu.load_average.1m",
        .title = "Load average, 1 min",
        .unit = "1",
        .exponent = kHundredths,
        .selectors = "load",
        .typical = 0.8,
        .description = "Tasks that ran, could run or waited for a disk, averaged over 1 minute.",
        .source = "`loadavg` ([proc_loadavg(5)](https://man7.org/linux/man-pages/man5/proc_loadavg.5.html))",
        .formula = "first field",
        .equals = "`uptime`, psutil `getloadavg`",
    },
    MetricSpec{
        .name = "system.cpu.load_average.5m",
        .title = "Load average, 5 min",
        .unit = "1",
        .exponent = kHundredths,
        .selectors = "load",
        .typical = 0.8,
        .description = "Tasks that ran, could run or waited for a disk, averaged over 5 minutes.",
        .source = "`loadavg`",
        .formula = "second field",
        .equals = "the same",
    },
    MetricSpec{
        .name = "system.cpu.load_average.15m",
        .title = "Load average, 15 min",
        .unit = "1",
        .exponent = kHundredths,
        .selectors = "load",
        .typical = 0.8,
        .description = "Tasks that ran, could run or waited for a disk, averaged over 15 minutes.",
        .source = "`loadavg`",
        .formula = "third field",
        .equals = "the same",
    },
};

}  // namespace

constinit const CollectorSpec load = {.name = "load", .selectors = kSelectors, .metrics = kMetrics};

}  // namespace monitor::metrics::catalog
