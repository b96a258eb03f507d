// Declaration of the collector of containers: inputs/proc/containers.h. Figures of memory are declared by memory.cc.
#include <array>

#include "metrics/catalog/catalog.h"
#include "metrics/catalog/steps.h"

namespace monitor::metrics::catalog {

namespace {

constexpr std::array kOptions = {
    kMostContainers,
    OptionSpec{.name = "pressure",
               .since = "0.2.0",
               .description = "Adds the pressure stall information of each container (cgroup v2)"},
    kCounters,
};

constexpr std::array kSelectors = {
    SelectorSpec{.name = "containers",
                 .since = "0.2.0",
                 .description = "CPU, throttling, memory, OOM kills, disk throughput and threads of each container",
                 .options = kOptions},
};

constexpr std::array kDirections = {LabelSpec{"disk.io.direction", "read,write"}};
constexpr std::array kPressures = {LabelSpec{"resource", "cpu,memory,io"}, LabelSpec{"type", "some,full"}};
constexpr std::string_view kRules = "[containers](#containers)";

constexpr std::array kMetrics = {
    MetricSpec{
        .name = "container.count",
        .title = "Containers",
        .unit = "{container}",
        .selectors = "containers",
        .typical = 4,
        .description = "Containers on the host.",
        .source = "folders below `fs/cgroup` ([cgroup-v2.rst](https://docs.kernel.org/admin-guide/cgroup-v2.html))",
        .formula = "number of control groups that are a container's",
        .rules = kRules,
        .equals = "`docker ps -q`, `crictl ps` with the pods' own containers",
    },
    MetricSpec{
        .name = "container.omitted.count",
        .title = "Containers without series",
        .unit = "{container}",
        .selectors = "containers",
        .typical = 0,
        .description = "Containers that have no series because of the option most.",
        .source = "folders below `fs/cgroup`",
        .formula = "containers - those with series",
        .rules = kRules,
    },
    MetricSpec{
        .name = "container.cpu.usage",
        .title = "Container CPU usage",
        .unit = "{cpu}",
        .exponent = kShareExponent,
        .selectors = "containers",
        .typical = 0.4,
        .description = "Processors that a container kept busy.",
        .source = "`cpu.stat`; v1: `cpuacct.usage`",
        .formula = "growth of usage_usec (v1: of nanoseconds) / elapsed",
        .rules = kRules,
        .equals = "`docker stats` (CPU %) / 100, `kubectl top`, `rate(container_cpu_usage_seconds_total)` of cAdvisor",
    },
    MetricSpec{
        .name = "container.cpu.limit",
        .title = "Container CPU limit",
        .unit = "{cpu}",
        .exponent = kShareExponent,
        .selectors = "containers",
        .typical = 2,
        .description = "Processors that a container may keep busy.",
        .source = "`cpu.max`; v1: `cpu.cfs_quota_us`, `cpu.cfs_period_us`",
        .formula = "quota / period",
        .rules = "none without a limit of the container's own group",
        .equals = "`docker run --cpus`, Kubernetes `limits.cpu`",
    },
    MetricSpec{
        .name = "container.cpu.throttling.utilization",
        .title = "Container CPU throttling",
        .unit = "1",
        .exponent = kShareExponent,
        .selectors = "containers",
        .typical = 0.01,
        .description = "Share of the CPU limit's periods in which a container had to wait.",
        .source = "`cpu.stat`",
        .formula = "growth of nr_throttled / growth of nr_periods; 0 without new periods",
        .rules = "only with a limit",
        .equals = "`container_cpu_cfs_throttled_periods_total` / `container_cpu_cfs_periods_total` of cAdvisor",
    },
    MetricSpec{
        .name = "container.cpu.time",
        .title = "Container CPU time, total",
        .unit = "s",
        .kind = Kind::kCounter,
        .exponent = kMillionths,
        .selectors = "containers",
        .option = "counters",
        .typical = 0.4,
        .description = "CPU time that a container has used.",
        .source = "`cpu.stat`; v1: `cpuacct.usage`",
        .formula = "usage_usec; v1: nanoseconds / 1000, rounded down",
        .rules = kRules,
        .equals = "`container_cpu_usage_seconds_total` of cAdvisor",
    },
    MetricSpec{
        .name = "container.cpu.throttled.time",
        .title = "Container throttled time, total",
        .unit = "s",
        .kind = Kind::kCounter,
        .exponent = kMillionths,
        .selectors = "containers",
        .option = "counters",
        .typical = 0.01,
        .description = "Time for which a container had to wait because of its CPU limit, over all processors.",
        .source = "`cpu.stat`",
        .formula = "throttled_usec; v1: throttled_time / 1000, rounded down",
        .rules = "only with a limit",
        .equals = "`container_cpu_cfs_throttled_seconds_total` of cAdvisor",
    },
    MetricSpec{
        .name = "container.memory.oom_kills",
        .title = "Container OOM kills, total",
        .unit = "{process}",
        .kind = Kind::kCounter,
        .selectors = "containers",
        .typical = 0,
        .description = "Processes of a container that the kernel killed because memory ran out.",
        .source = "`memory.events`; v1: `memory.oom_control` (since 4.13)",
        .formula = "oom_kill",
        .rules = "v2 includes groups within the container. Also without `counters`: a single kill matters",
        .equals = "`container_oom_events_total` of cAdvisor",
    },
    MetricSpec{
        .name = "container.disk.io.rate",
        .title = "Container disk throughput",
        .unit = "By/s",
        .selectors = "containers",
        .labels = kDirections,
        .typical = 1e6,
        .description = "Bytes per second that a container read from disks or wrote to them.",
        .source = "`io.stat`; v1: `blkio.throttle.io_service_bytes_recursive`, else without `_recursive`",
        .formula = "growth of the sum of rbytes or wbytes over devices / elapsed",
        .rules = "only devices without `slaves` in `/sys/dev/block/M:N`: a stack of devices counts each byte several "
                 "times. No loop devices and no RAM disks. No value while the sum falls",
        .equals = "`docker stats` (BLOCK I/O) on one disk",
    },
    MetricSpec{
        .name = "container.disk.io",
        .title = "Container disk bytes, total",
        .unit = "By",
        .kind = Kind::kCounter,
        .selectors = "containers",
        .option = "counters",
        .labels = kDirections,
        .typical = 1e6,
        .description = "Bytes that a container has read from disks or written to them.",
        .source = "as of the rate",
        .formula = "sum of rbytes or wbytes over devices",
        .rules = "as of the rate",
    },
    MetricSpec{
        .name = "container.thread.count",
        .title = "Container threads",
        .unit = "{thread}",
        .selectors = "containers",
        .typical = 20,
        .description = "Threads of a container.",
        .source = "`pids.current`",
        .formula = "the value of the file",
        .rules = kRules,
        .equals = "`docker stats` (PIDS)",
    },
    MetricSpec{
        .name = "container.thread.limit",
        .title = "Container thread limit",
        .unit = "{thread}",
        .selectors = "containers",
        .typical = 4096,
        .description = "Threads that a container may have.",
        .source = "`pids.max`",
        .formula = "the value of the file",
        .rules = "none without a limit",
        .equals = "`docker run --pids-limit`",
    },
    MetricSpec{
        .name = "container.pressure.stall",
        .title = "Container pressure stall",
        .unit = "1",
        .exponent = kShareExponent,
        .selectors = "containers",
        .option = "pressure",
        .labels = kPressures,
        .typical = 0.01,
        .description = "Share of time in which some or all tasks of a container waited for a resource.",
        .source =
            "`cpu.pressure`, `memory.pressure`, `io.pressure` ([psi.rst](https://docs.kernel.org/accounting/psi.html))",
        .formula = "growth of `total` (microseconds) / elapsed",
        .rules = "cgroup v2 only",
        .equals = "`total` of the files",
    },
};

constexpr std::array kPartLabels = {
    LabelSpec{"container.id", ""},       LabelSpec{"container.name", ""}, LabelSpec{"container.runtime.name", ""},
    LabelSpec{"k8s.namespace.name", ""}, LabelSpec{"k8s.pod.name", ""},   LabelSpec{"k8s.pod.uid", ""},
};

}  // namespace

constinit const CollectorSpec containers = {
    .name = "containers", .selectors = kSelectors, .metrics = kMetrics, .part_labels = kPartLabels};

}  // namespace monitor::metrics::catalog
