// Declaration of the filesystems' collector: inputs/proc/filesystem.h.
#include <array>

#include "metrics/catalog/catalog.h"

namespace monitor::metrics::catalog {

namespace {

constexpr std::array kOptions = {
    OptionSpec{.name = "per_filesystem",
               .since = "0.1.0",
               .description = "Adds one series per mount point, labelled system.filesystem.mountpoint"},
    kInclude,
    kExclude,
};

constexpr std::array kSelectors = {
    SelectorSpec{.name = "filesystem",
                 .since = "0.1.0",
                 .description = "Used space and inodes of the mounted filesystems",
                 .options = kOptions},
};

constexpr std::array kUsed = {LabelSpec{"system.filesystem.state", "used"}};

constexpr std::array kMetrics = {
    MetricSpec{
        .name = "system.filesystem.usage",
        .title = "Filesystem space in use",
        .unit = "By",
        .selectors = "filesystem",
        .labels = kUsed,
        .typical = 100e9,
        .description = "Space in use on filesystems.",
        .source = "`self/mountinfo`, [statfs(2)](https://man7.org/linux/man-pages/man2/statfs.2.html)",
        .formula = "blocks - free blocks",
        .rules = "[filesystems](#filesystems)",
        .equals = "`df` (Used)",
    },
    MetricSpec{
        .name = "system.filesystem.utilization",
        .title = "Filesystem utilization",
        .unit = "1",
        .exponent = kShareExponent,
        .selectors = "filesystem",
        .typical = 0.5,
        .description = "Share of the filesystems' space that is in use.",
        .source = "the same",
        .formula = "used / (used + available to non-root users)",
        .rules = "[filesystems](#filesystems)",
        .equals = "`df` (Use%) before rounding up",
    },
    MetricSpec{
        .name = "system.filesystem.inodes.usage",
        .title = "Inodes in use",
        .unit = "{inode}",
        .selectors = "filesystem",
        .labels = kUsed,
        .typical = 1e6,
        .description = "Inodes in use on filesystems.",
        .source = "the same",
        .formula = "inodes - free inodes",
        .rules = "none for a filesystem that does not count inodes",
        .equals = "`df -i` (IUsed)",
    },
    MetricSpec{
        .name = "system.filesystem.inodes.utilization",
        .title = "Inode utilization",
        .unit = "1",
        .exponent = kShareExponent,
        .selectors = "filesystem",
        .typical = 0.1,
        .description = "Share of the filesystems' inodes that is in use.",
        .source = "the same",
        .formula = "used / inodes",
        .equals = "`df -i` (IUse%)",
    },
};

}  // namespace

constinit const CollectorSpec filesystem = {.name = "filesystem", .selectors = kSelectors, .metrics = kMetrics};

}  // namespace monitor::metrics::catalog
