// Declaration of the collector of pressure stall information: inputs/proc/pressure.h.
#include <array>

#include "metrics/catalog/catalog.h"

namespace monitor::metrics::catalog {

namespace {

constexpr std::array kSelectors = {
    SelectorSpec{.name = "pressure",
                 .since = "0.1.0",
                 .description = "Share of time in which tasks were waiting for a resource (PSI)"},
};

constexpr std::array kLabels = {LabelSpec{"resource", "cpu,memory,io,irq"}, LabelSpec{"type", "some,full"}};

constexpr std::array kMetrics = {
    MetricSpec{
        .name = "system.pressure.stall",
        .title = "Pressure stall",
        .unit = "1",
        .exponent = kShareExponent,
        .selectors = "pressure",
        .labels = kLabels,
        .typical = 0.01,
        .description = "Share of time in which some or all tasks waited for a resource.",
        .source = "`pressure/cpu`, `memory`, `io`, `irq` ([psi.rst](https://docs.kernel.org/accounting/psi.html))",
        .formula = "growth of `total` (microseconds) / elapsed",
        .rules = "for the whole host, `full` of `cpu` is 0, and missing before 5.13. `irq` has only `full` (since 6.1, "
                 "if the kernel accounts interrupt time)",
        .equals = "`total` of the files",
    },
};

}  // namespace

constinit const CollectorSpec pressure = {.name = "pressure", .selectors = kSelectors, .metrics = kMetrics};

}  // namespace monitor::metrics::catalog
