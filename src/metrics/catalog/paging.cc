// Declaration of the paging collector: inputs/proc/paging.cc. Names and labels are those of OpenTelemetry.
#include <array>

#include "metrics/catalog/catalog.h"

namespace monitor::metrics::catalog {

namespace {

constexpr std::array kOptions = {kCounters};

constexpr std::array kSelectors = {
    SelectorSpec{.name = "paging",
                 .since = "0.2.0",
                 .description = "Page faults, pages swapped, and bytes paged in and out, per second",
                 .options = kOptions},
};

constexpr std::array kFaultTypes = {LabelSpec{"system.paging.fault.type", "minor,major"}};
constexpr std::array kDirections = {LabelSpec{"system.paging.direction", "in,out"}};

constexpr std::array kMetrics = {
    MetricSpec{
        .name = "system.paging.faults.rate",
        .title = "Page faults",
        .unit = "{fault}/s",
        .selectors = "paging",
        .labels = kFaultTypes,
        .typical = 2'000,
        .description = "Page faults per second; a major one waits for a disk.",
        .source = "`vmstat` ([proc_vmstat(5)](https://man7.org/linux/man-pages/man5/proc_vmstat.5.html))",
        .formula = "`major`: growth of pgmajfault / elapsed; `minor`: growth of (pgfault - pgmajfault) / elapsed",
        .rules =
            "no minor faults while pgfault or pgmajfault falls. Otherwise their count keeps its highest value, because "
            "the kernel counts a major fault before it counts the fault",
        .equals = "`sar -B` (majflt/s; fault/s is the sum of both)",
    },
    MetricSpec{
        .name = "system.paging.faults",
        .title = "Page faults, total",
        .unit = "{fault}",
        .kind = Kind::kCounter,
        .selectors = "paging",
        .option = "counters",
        .labels = kFaultTypes,
        .typical = 2'000,
        .description = "Page faults since the host started.",
        .source = "`vmstat`",
        .formula = "`major`: pgmajfault; `minor`: pgfault - pgmajfault",
        .rules = "as of the rate",
    },
    MetricSpec{
        .name = "system.paging.operations.rate",
        .title = "Pages swapped",
        .unit = "{operation}/s",
        .selectors = "paging",
        .labels = kDirections,
        .typical = 20,
        .description = "Pages per second that the kernel read from swap space or wrote to it.",
        .source = "`vmstat`",
        .formula = "growth of pswpin or pswpout / elapsed",
        .rules = "only if the kernel supports swap",
        .equals = "`sar -W`; `vmstat` (si, so), which counts KiB",
    },
    MetricSpec{
        .name = "system.paging.operations",
        .title = "Pages swapped, total",
        .unit = "{operation}",
        .kind = Kind::kCounter,
        .selectors = "paging",
        .option = "counters",
        .labels = kDirections,
        .typical = 20,
        .description = "Pages that the kernel has read from swap space or written to it.",
        .source = "`vmstat`",
        .formula = "pswpin or pswpout",
        .rules = "only if the kernel supports swap",
        .equals = "psutil `swap_memory()` (sin, sout) / 4096",
    },
    MetricSpec{
        .name = "system.paging.io.rate",
        .title = "Paging throughput",
        .unit = "By/s",
        .selectors = "paging",
        .labels = kDirections,
        .typical = 1e6,
        .description = "Bytes per second that the kernel paged in from disks or out to them, files included.",
        .source = "`vmstat`",
        .formula = "growth of pgpgin or pgpgout x 1024 / elapsed",
        .rules = "bytes count when they enter the block layer: once with dm or md, twice with a loop device",
        .equals = "`sar -B` (pgpgin/s, pgpgout/s) and `vmstat` (bi, bo), in KiB",
    },
    MetricSpec{
        .name = "system.paging.io",
        .title = "Paging, total",
        .unit = "By",
        .kind = Kind::kCounter,
        .selectors = "paging",
        .option = "counters",
        .labels = kDirections,
        .typical = 1e6,
        .description = "Bytes that the kernel has paged in from disks or out to them, files included.",
        .source = "`vmstat`",
        .formula = "pgpgin or pgpgout x 1024",
        .rules = "as of the rate",
    },
};

}  // namespace

constinit const CollectorSpec paging = {.name = "paging", .selectors = kSelectors, .metrics = kMetrics};

}  // namespace monitor::metrics::catalog
