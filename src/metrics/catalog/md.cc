// Declaration of the collector of software RAID: inputs/proc/md.cc.
#include <array>

#include "metrics/catalog/catalog.h"

namespace monitor::metrics::catalog {

namespace {

constexpr std::array kSelectors = {
    SelectorSpec{
        .name = "md",
        .since = "0.2.0",
        .description = "Software RAID arrays (md): missing, failed and spare disks, and progress of a rebuild"},
};

constexpr std::array kMetrics = {
    MetricSpec{.name = "system.md.active",
               .title = "Array is active",
               .unit = "{array}",
               .selectors = "md",
               .typical = 1,
               .description = "1 if an array can be used, 0 if it is assembled only in part.",
               .source = "`mdstat` ([md.rst](https://docs.kernel.org/admin-guide/md.html))",
               .formula = "1 of `active`, 0 of `inactive`",
               .equals = "`/proc/mdstat`"},
    MetricSpec{.name = "system.md.disk.missing",
               .title = "Missing disks of an array",
               .unit = "{disk}",
               .selectors = "md",
               .typical = 0,
               .description = "Disks that an array lacks until it is whole again; above 0, it is degraded.",
               .source = "`mdstat`",
               .formula = "n - m of `[n/m]`",
               .rules = "only active arrays with redundancy. A disk that is being rebuilt is missing",
               .equals = "`mdadm --detail` (Raid Devices - those in sync)"},
    MetricSpec{.name = "system.md.disk.required",
               .title = "Disks that an array needs",
               .unit = "{disk}",
               .selectors = "md",
               .typical = 2,
               .description = "Disks that a whole array has, without spare ones.",
               .source = "`mdstat`",
               .formula = "n of `[n/m]`",
               .rules = "only active arrays with redundancy",
               .equals = "`mdadm --detail` (Raid Devices)"},
    MetricSpec{.name = "system.md.disk.count",
               .title = "Disks of an array",
               .unit = "{disk}",
               .selectors = "md",
               .typical = 2,
               .description = "Disks of an array by state, labelled system.md.disk.state.",
               .source = "`mdstat`",
               .formula = "active: m of `[n/m]`, else the members without a flag; failed: those with `(F)`; spare: "
                          "those with `(S)` and without `(F)`",
               .rules = "journals `(J)` are not counted",
               .equals = "`mdadm --detail` (Failed Devices, Spare Devices without those that are being rebuilt)"},
    MetricSpec{.name = "system.md.sync.progress",
               .title = "Progress of an array's job",
               .unit = "1",
               .exponent = kShareExponent,
               .selectors = "md",
               .typical = 0.5,
               .description = "Share of a recovery, resync, check or reshape that is done, by system.md.sync.action.",
               .source = "`mdstat`",
               .formula = "a / b of `(a/b)`; 0 if the job is `DELAYED` or `PENDING`",
               .rules = "only while an array has a job",
               .equals = "`/proc/mdstat`"},
};

constexpr std::array kPartLabels = {
    LabelSpec{"system.device", ""},
    LabelSpec{"system.md.disk.state", "active,failed,spare"},
    LabelSpec{"system.md.sync.action", ""},
};

}  // namespace

constinit const CollectorSpec md = {
    .name = "md", .selectors = kSelectors, .metrics = kMetrics, .part_labels = kPartLabels};

}  // namespace monitor::metrics::catalog
