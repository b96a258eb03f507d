// Declaration of the collector of disks' operations: inputs/proc/disk_operations.cc. Names and labels are those of
// OpenTelemetry.
#include <array>

#include "metrics/catalog/catalog.h"
#include "metrics/catalog/steps.h"

namespace monitor::metrics::catalog {

namespace {

constexpr std::array kOptions = {kCounters, kInclude, kExclude};

constexpr std::array kSelectors = {
    SelectorSpec{.name = "disk operations",
                 .since = "0.2.0",
                 .description = "Operations of each disk: their number, latency, queue, and how busy the disk was",
                 .options = kOptions},
};

constexpr std::array kDirections = {LabelSpec{"disk.io.direction", "read,write"}};
constexpr std::string_view kSource = "`diskstats` ([iostats.rst](https://docs.kernel.org/admin-guide/iostats.html))";
constexpr std::string_view kRules = "for each disk; [disks](#disks)";

constexpr std::array kMetrics = {
    MetricSpec{
        .name = "system.disk.operations.rate",
        .title = "Disk operations",
        .unit = "{operation}/s",
        .exponent = kThousandths,
        .selectors = "disk operations",
        .labels = kDirections,
        .typical = 50,
        .description = "Operations that a disk completed, per second.",
        .source = kSource,
        .formula = "growth of reads or writes completed / elapsed",
        .rules = kRules,
        .equals = "`iostat -x` (r/s, w/s)",
    },
    MetricSpec{
        .name = "system.disk.operations",
        .title = "Disk operations, total",
        .unit = "{operation}",
        .kind = Kind::kCounter,
        .selectors = "disk operations",
        .option = "counters",
        .labels = kDirections,
        .typical = 50,
        .description = "Operations that a disk has completed.",
        .source = kSource,
        .formula = "reads or writes completed",
        .rules = kRules,
        .equals = "`node_disk_reads_completed_total`, `node_disk_writes_completed_total` of node_exporter",
    },
    MetricSpec{
        .name = "system.disk.merged.rate",
        .title = "Disk operations merged",
        .unit = "{operation}/s",
        .exponent = kThousandths,
        .selectors = "disk operations",
        .labels = kDirections,
        .typical = 5,
        .description = "Operations that were merged with others before a disk got them, per second.",
        .source = kSource,
        .formula = "growth of reads or writes merged / elapsed",
        .rules = kRules,
        .equals = "`iostat -x` (rrqm/s, wrqm/s)",
    },
    MetricSpec{
        .name = "system.disk.merged",
        .title = "Disk operations merged, total",
        .unit = "{operation}",
        .kind = Kind::kCounter,
        .selectors = "disk operations",
        .option = "counters",
        .labels = kDirections,
        .typical = 5,
        .description = "Operations that have been merged with others before a disk got them.",
        .source = kSource,
        .formula = "reads or writes merged",
        .rules = kRules,
        .equals = "`node_disk_reads_merged_total`, `node_disk_writes_merged_total` of node_exporter",
    },
    MetricSpec{
        .name = "system.disk.operation.latency",
        .title = "Disk latency",
        .unit = "s",
        .exponent = kMillionths,
        .selectors = "disk operations",
        .labels = kDirections,
        .typical = 0.002,
        .description = "Time that the operations of a disk took on average, waiting in its queue included.",
        .source = kSource,
        .formula = "growth of milliseconds of reads or writes / growth of their number",
        .rules = "none in a tick without operations; for each disk",
        .equals = "`iostat -x` (r_await, w_await) / 1000",
    },
    MetricSpec{
        .name = "system.disk.operation_time",
        .title = "Disk operation time, total",
        .unit = "s",
        .kind = Kind::kCounter,
        .exponent = kThousandths,
        .selectors = "disk operations",
        .option = "counters",
        .labels = kDirections,
        .typical = 0.1,
        .description = "Time that the operations of a disk have taken, added up.",
        .source = kSource,
        .formula = "milliseconds of reads or writes",
        .rules = kRules,
        .equals = "`node_disk_read_time_seconds_total`, `node_disk_write_time_seconds_total` of node_exporter",
    },
    MetricSpec{
        .name = "system.disk.utilization",
        .title = "Disk utilization",
        .unit = "1",
        .exponent = kShareExponent,
        .selectors = "disk operations",
        .typical = 0.1,
        .description = "Share of time in which a disk had at least one operation to do.",
        .source = kSource,
        .formula = "growth of milliseconds spent doing I/O / elapsed",
        .rules = "a disk that does several operations at a time can do more at 1. For each disk",
        .equals = "`iostat -x` (%util)",
    },
    MetricSpec{
        .name = "system.disk.io_time",
        .title = "Disk busy time, total",
        .unit = "s",
        .kind = Kind::kCounter,
        .exponent = kThousandths,
        .selectors = "disk operations",
        .option = "counters",
        .typical = 0.1,
        .description = "Time in which a disk has had at least one operation to do.",
        .source = kSource,
        .formula = "milliseconds spent doing I/O",
        .rules = kRules,
        .equals = "`node_disk_io_time_seconds_total` of node_exporter",
    },
    MetricSpec{
        .name = "system.disk.queue.length",
        .title = "Disk queue",
        .unit = "{operation}",
        .exponent = kThousandths,
        .selectors = "disk operations",
        .typical = 0.3,
        .description = "Operations that waited or were being done, on average over the tick.",
        .source = kSource,
        .formula = "growth of weighted milliseconds / elapsed",
        .rules = kRules,
        .equals = "`iostat -x` (aqu-sz)",
    },
    MetricSpec{
        .name = "system.disk.operations.pending",
        .title = "Disk operations pending",
        .unit = "{operation}",
        .selectors = "disk operations",
        .typical = 0,
        .description = "Operations that a disk has begun and not completed.",
        .source = kSource,
        .formula = "I/Os currently in progress",
        .rules = kRules,
        .equals = "`node_disk_io_now` of node_exporter",
    },
};

}  // namespace

constinit const CollectorSpec disk_operations = {
    .name = "disk_operations", .selectors = kSelectors, .metrics = kMetrics};

}  // namespace monitor::metrics::catalog
