// Declaration of the disks' collector: inputs/proc/disk.h.
#include <array>

#include "metrics/catalog/catalog.h"

namespace monitor::metrics::catalog {

namespace {

constexpr std::array kOptions = {
    OptionSpec{
        .name = "per_device", .since = "0.1.0", .description = "Adds one series per disk, labelled system.device"},
    kCounters,
    kInclude,
    kExclude,
};

constexpr std::array kSelectors = {
    SelectorSpec{.name = "disk read",
                 .since = "0.1.0",
                 .description = "Bytes read per second, summed over whole disks",
                 .options = kOptions},
    SelectorSpec{.name = "disk write",
                 .since = "0.1.0",
                 .description = "Bytes written per second, summed over whole disks",
                 .options = kOptions},
};

constexpr std::array kDirections = {LabelSpec{"disk.io.direction", "read,write"}};

constexpr std::array kMetrics = {
    MetricSpec{
        .name = "system.disk.io.rate",
        .title = "Disk throughput",
        .unit = "By/s",
        .selectors = "disk read,disk write",
        .labels = kDirections,
        .typical = 10e6,
        .description = "Bytes that disks read or wrote, per second.",
        .source = "`diskstats` ([iostats.rst](https://docs.kernel.org/admin-guide/iostats.html))",
        .formula = "growth of sectors read or written x 512 / elapsed",
        .rules = "[disks](#disks)",
        .equals = "`iostat -d`, psutil `disk_io_counters(perdisk=True)`",
    },
    MetricSpec{
        .name = "system.disk.io",
        .title = "Disk bytes",
        .unit = "By",
        .kind = Kind::kCounter,
        .selectors = "disk read,disk write",
        .option = "counters",
        .labels = kDirections,
        .typical = 10e6,
        .description = "Bytes that disks have read or written.",
        .source = "`diskstats`",
        .formula = "for a disk: sectors x 512. For the sum: the totals of its disks at the first reading, plus their "
                   "growth since then; it never falls",
        .rules = "[disks](#disks)",
        .equals = "psutil `disk_io_counters(perdisk=True)`",
    },
};

}  // namespace

constinit const CollectorSpec disk = {.name = "disk", .selectors = kSelectors, .metrics = kMetrics};

}  // namespace monitor::metrics::catalog
