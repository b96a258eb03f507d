// Declaration of the processors' collector: inputs/proc/cpu.h.
#include <array>

#include "metrics/catalog/catalog.h"

namespace monitor::metrics::catalog {

namespace {

constexpr std::array kOptions = {
    OptionSpec{.name = "per_core",
               .since = "0.1.0",
               .description = "Adds one series per logical processor, labelled cpu.logical_number"},
    OptionSpec{.name = "modes",
               .since = "0.1.0",
               .description = "Adds one series per mode (user, system, iowait, ...), labelled cpu.mode"},
};

constexpr std::array kSelectors = {
    SelectorSpec{.name = "cpu",
                 .since = "0.1.0",
                 .description = "Share of time in which the processors were busy, 0 to 1",
                 .options = kOptions},
};

constexpr std::array kMetrics = {
    MetricSpec{
        .name = "system.cpu.utilization",
        .title = "CPU utilization",
        .unit = "1",
        .exponent = kShareExponent,
        .selectors = "cpu",
        .typical = 0.2,
        .description = "Share of time in which the processors were busy.",
        .source = "`stat` ([proc_stat(5)](https://man7.org/linux/man-pages/man5/proc_stat.5.html))",
        .formula = "busy / total; total = growth of user + nice + system + idle + iowait + irq + softirq + steal; "
                   "busy = total - idle - iowait. `modes`: growth of a column / total",
        .rules = "guest time is part of user and nice, and is busy. If a column fell a little, its growth is 0. After "
                 "a jump (resume, a CPU that comes back online) there is no value",
        .equals = "psutil `cpu_percent`, `mpstat` (100 - %idle - %iowait), `top`",
    },
};

}  // namespace

constinit const CollectorSpec cpu = {.name = "cpu", .selectors = kSelectors, .metrics = kMetrics};

}  // namespace monitor::metrics::catalog
