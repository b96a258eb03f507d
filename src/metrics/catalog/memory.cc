// Declaration of the collector of memory and swap: inputs/proc/memory.h.
#include <array>

#include "metrics/catalog/catalog.h"

namespace monitor::metrics::catalog {

namespace {

constexpr double kGiB = 1 << 30;

constexpr std::array kSelectors = {
    SelectorSpec{.name = "memory",
                 .since = "0.1.0",
                 .description = "Used memory (total minus available), as a share and in bytes, and total memory"},
    SelectorSpec{.name = "swap", .since = "0.1.0", .description = "Used swap space, in bytes and as a share"},
};

constexpr std::array kMemoryUsed = {LabelSpec{"system.memory.state", "used"}};
constexpr std::array kPagingUsed = {LabelSpec{"system.paging.state", "used"}};

constexpr std::array kMetrics = {
    MetricSpec{
        .name = "system.memory.utilization",
        .title = "Memory utilization",
        .unit = "1",
        .exponent = kShareExponent,
        .selectors = "memory",
        .typical = 0.4,
        .description = "Share of the host's memory that is in use.",
        .source = "`meminfo` ([proc_meminfo(5)](https://man7.org/linux/man-pages/man5/proc_meminfo.5.html))",
        .formula = "used / total; for used, see `system.memory.usage`",
        .equals = "psutil `virtual_memory().percent`",
    },
    MetricSpec{
        .name = "system.memory.usage",
        .title = "Memory in use",
        .unit = "By",
        .selectors = "memory",
        .labels = kMemoryUsed,
        .typical = 6 * kGiB,
        .description = "Memory in use: the total less what is available.",
        .source = "`meminfo`",
        .formula =
            "`system.memory.state=used`: MemTotal - MemAvailable. Without MemAvailable: MemTotal - (MemFree + Buffers "
            "+ Cached + SReclaimable - Shmem). With MemAvailable above MemTotal (LXC): MemTotal - MemFree. With ZFS: "
            "minus the reclaimable cache",
        .rules = "shared memory and pages in huge page pools count as used",
        .equals = "psutil `total - available`; `free` (total - available); htop with ZFS",
    },
    MetricSpec{
        .name = "system.memory.limit",
        .title = "Memory size",
        .unit = "By",
        .selectors = "memory",
        .typical = 16 * kGiB,
        .description = "Memory of the host in total.",
        .source = "`meminfo`",
        .formula = "MemTotal",
        .equals = "psutil `total`, `free`",
    },
    MetricSpec{
        .name = "system.memory.zfs.arc.usage",
        .title = "ZFS cache size",
        .unit = "By",
        .selectors = "memory",
        .typical = 2 * kGiB,
        .description = "Size of the ZFS cache (ARC).",
        .source = "`spl/kstat/zfs/arcstats`",
        .formula = "size",
        .rules = "only if ZFS is loaded",
        .equals = "`arcstat`",
    },
    MetricSpec{
        .name = "system.memory.zfs.arc.reclaimable",
        .title = "ZFS cache, reclaimable",
        .unit = "By",
        .selectors = "memory",
        .typical = 1 * kGiB,
        .description = "Part of the ZFS cache (ARC) that ZFS gives back under memory pressure.",
        .source = "`spl/kstat/zfs/arcstats`",
        .formula = "size - c_min, at least 0",
        .equals = "htop",
    },
    MetricSpec{
        .name = "container.memory.usage",
        .title = "Container memory usage",
        .unit = "By",
        .selectors = "memory,containers",
        .typical = 1 * kGiB,
        .description = "Memory that the container uses, page cache included.",
        .source = "`fs/cgroup/.../memory.current`, v1: `memory.usage_in_bytes` (cgroup-v2.rst, cgroup-v1/memory.rst)",
        .formula = "the value of the file",
        .rules =
            "without labels, describes the control group with the lowest limit, among the agent's own group and its "
            "ancestors; only if that limit is below MemTotal. With `container.id`: [containers](#containers)",
        .equals = "cAdvisor `container_memory_usage_bytes`",
    },
    MetricSpec{
        .name = "container.memory.working_set",
        .title = "Container working set",
        .unit = "By",
        .selectors = "memory,containers",
        .typical = 1 * kGiB,
        .description = "Memory that the container uses, without page cache that was not used recently.",
        .source = "the same, `memory.stat`",
        .formula = "usage - inactive_file (v1: total_inactive_file), at least 0",
        .rules = "does not include page cache that was not used recently",
        .equals = "cAdvisor, `kubectl top`",
    },
    MetricSpec{
        .name = "container.memory.limit",
        .title = "Container memory limit",
        .unit = "By",
        .selectors = "memory,containers",
        .typical = 2 * kGiB,
        .description = "Memory that the container may use.",
        .source = "`memory.max`, v1: `memory.limit_in_bytes`",
        .formula = "the lowest",
        .rules = "`max` and limits above MemTotal mean no limit",
        .equals = "`docker stats` (LIMIT)",
    },
    MetricSpec{
        .name = "container.memory.utilization",
        .title = "Container memory utilization",
        .unit = "1",
        .exponent = kShareExponent,
        .selectors = "memory,containers",
        .typical = 0.5,
        .description = "Share of the container's memory limit that its working set takes.",
        .source = "the same",
        .formula = "working set / limit",
        .equals = "`docker stats` (MEM %) on v2",
    },
    MetricSpec{
        .name = "container.paging.usage",
        .title = "Container swap in use",
        .unit = "By",
        .selectors = "swap,containers",
        .description = "Swap space that the container uses.",
        .source = "`memory.swap.current`; v1: `memory.memsw.usage_in_bytes` - `memory.usage_in_bytes`",
        .formula = "the value of the file",
        .rules = "only if a limit below SwapTotal applies",
    },
    MetricSpec{
        .name = "container.paging.limit",
        .title = "Container swap limit",
        .unit = "By",
        .selectors = "swap",
        .typical = 1 * kGiB,
        .description = "Swap space that the container may use.",
        .source = "`memory.swap.max`; v1: `memory.memsw.limit_in_bytes` - `memory.limit_in_bytes`",
        .formula = "the lowest",
    },
    MetricSpec{
        .name = "system.paging.usage",
        .title = "Swap in use",
        .unit = "By",
        .selectors = "swap",
        .labels = kPagingUsed,
        .description = "Swap space in use.",
        .source = "`meminfo`",
        .formula = "`system.paging.state=used`: SwapTotal - SwapFree, at least 0",
        .equals = "psutil `swap_memory().used`, `free`",
    },
    MetricSpec{
        .name = "system.paging.utilization",
        .title = "Swap utilization",
        .unit = "1",
        .exponent = kShareExponent,
        .selectors = "swap",
        .labels = kPagingUsed,
        .description = "Share of the swap space that is in use.",
        .source = "`meminfo`",
        .formula = "used / SwapTotal; 0 without swap",
        .equals = "psutil `swap_memory().percent`",
    },
};

}  // namespace

constinit const CollectorSpec memory = {.name = "memory", .selectors = kSelectors, .metrics = kMetrics};

}  // namespace monitor::metrics::catalog
