// Declaration of the processes' collector: inputs/proc/processes.h. Names and labels are those of OpenTelemetry.
#include <array>

#include "metrics/catalog/catalog.h"

namespace monitor::metrics::catalog {

namespace {

constexpr std::array kOptions = {
    kTop,
    OptionSpec{.name = "per_user",
               .since = "0.2.0",
               .description = "Adds the sums over the processes of each user, labelled process.owner"},
    OptionSpec{.name = "groups",
               .type = OptionSpec::Type::kPatterns,
               .since = "0.2.0",
               .description =
                   "Adds the sums over all processes whose command matches a pattern (wildcards * and ?), for "
                   "each of these patterns, labelled process.group"},
    kCounters,
};

constexpr std::array kSelectors = {
    SelectorSpec{.name = "processes",
                 .since = "0.2.0",
                 .description = "Processes by state, those created, and CPU, memory and I/O of the top ones",
                 .options = kOptions},
};

constexpr std::array kStates = {LabelSpec{"process.state", "running,sleeping,blocked,stopped,defunct"}};
constexpr std::array kDirections = {LabelSpec{"disk.io.direction", "read,write"}};

constexpr std::array kMetrics = {
    MetricSpec{
        .name = "system.process.count",
        .title = "Processes",
        .unit = "{process}",
        .selectors = "processes",
        .labels = kStates,
        .typical = 200,
        .description = "Processes in each state.",
        .source = "`PID/stat` ([proc_pid_stat(5)](https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html))",
        .formula = "number of processes by field 3: `running`: R; `blocked`: D; `stopped`: T, t; `defunct`: Z, X; "
                   "`sleeping`: all others",
        .rules = "[processes](#processes)",
        .equals = "`ps -e -o stat`",
    },
    MetricSpec{
        .name = "system.process.created.rate",
        .title = "Processes created",
        .unit = "{process}/s",
        .selectors = "processes",
        .typical = 10,
        .description = "Processes and threads created per second, however short they lived.",
        .source = "`stat` ([proc_stat(5)](https://man7.org/linux/man-pages/man5/proc_stat.5.html))",
        .formula = "growth of `processes` / elapsed",
        .rules = "the kernel also counts threads",
        .equals = "`sar -w` (proc/s)",
    },
    MetricSpec{
        .name = "system.process.created",
        .title = "Processes created, total",
        .unit = "{process}",
        .kind = Kind::kCounter,
        .selectors = "processes",
        .option = "counters",
        .typical = 10,
        .description = "Processes and threads created since the host started.",
        .source = "`stat`",
        .formula = "`processes`",
        .rules = "as of the rate",
    },
    MetricSpec{
        .name = "system.process.group.count",
        .title = "Processes of a group",
        .unit = "{process}",
        .selectors = "processes",
        .typical = 5,
        .description = "Processes of a user, or whose command matches a pattern.",
        .source = "`PID/stat`, owner of `PID`, `/etc/passwd`",
        .formula = "their number",
        .rules = "only with `groups` or `per_user`; 0 for a pattern that none matches. [Groups](#groups-of-processes)",
        .equals = "`pgrep -c`",
    },
    MetricSpec{
        .name = "system.process.group.cpu.utilization",
        .title = "CPU utilization of groups of processes",
        .unit = "1",
        .exponent = kFineShareExponent,
        .selectors = "processes",
        .typical = 0.1,
        .description = "Share of the time of all processors that the processes of a group used.",
        .source = "`PID/stat`, `stat`",
        .formula = "as for a process, of the sum of their growth",
        .rules = "[groups](#groups-of-processes)",
    },
    MetricSpec{
        .name = "system.process.group.memory.usage",
        .title = "Memory of groups of processes",
        .unit = "By",
        .selectors = "processes",
        .typical = 900e6,
        .description = "Resident memory of the processes of a group.",
        .source = "`PID/stat`",
        .formula = "sum of rss x page size",
        .rules = "memory that they share counts once for each of them. [Groups](#groups-of-processes)",
    },
    MetricSpec{
        .name = "system.process.group.disk.io.rate",
        .title = "Disk throughput of groups of processes",
        .unit = "By/s",
        .selectors = "processes",
        .labels = kDirections,
        .typical = 1e6,
        .description =
            "Bytes per second that the processes of a group caused to be read from disks or written to them.",
        .source = "`PID/io`",
        .formula = "as for a process, of the sum of their growth",
        .rules = "none if that of one of them cannot be read. [Groups](#groups-of-processes)",
    },
    MetricSpec{
        .name = "process.cpu.utilization",
        .title = "CPU utilization of processes",
        .unit = "1",
        .exponent = kFineShareExponent,
        .selectors = "processes",
        .typical = 0.05,
        .description = "Share of the time of all processors that a process used.",
        .source = "`PID/stat`, `stat`",
        .formula = "growth of (utime + stime) / (elapsed x clock ticks per second x processors)",
        .rules = "all threads of the process; with two processors, one busy thread is 0.5. [Processes](#processes)",
        .equals = "`top` in Solaris mode (%CPU); `pidstat -I` (%CPU); psutil `cpu_percent()` / `cpu_count()`",
    },
    MetricSpec{
        .name = "process.memory.usage",
        .title = "Memory of processes",
        .unit = "By",
        .selectors = "processes",
        .typical = 300e6,
        .description = "Resident memory of a process.",
        .source = "`PID/statm`",
        .formula = "resident x page size",
        .rules = "pages that several processes share count in each of them. [Processes](#processes)",
        .equals = "`ps -o rss`, psutil `memory_info().rss`",
    },
    MetricSpec{
        .name = "process.disk.io.rate",
        .title = "Disk throughput of processes",
        .unit = "By/s",
        .selectors = "processes",
        .labels = kDirections,
        .typical = 1e6,
        .description = "Bytes per second that a process caused to be read from disks or written to them.",
        .source = "`PID/io` ([proc_pid_io(5)](https://man7.org/linux/man-pages/man5/proc_pid_io.5.html))",
        .formula = "growth of read_bytes or write_bytes / elapsed",
        .rules = "what its ended children had read or written before the previous tick is not counted again. None for "
                 "kernel threads, and for processes of others without CAP_SYS_PTRACE. [Processes](#processes)",
        .equals = "`pidstat -d` (kB_rd/s, kB_wr/s), `iotop`",
    },
    MetricSpec{
        .name = "process.disk.io",
        .title = "Disk bytes of processes",
        .unit = "By",
        .kind = Kind::kCounter,
        .selectors = "processes",
        .option = "counters",
        .labels = kDirections,
        .typical = 1e6,
        .description = "Bytes that a process has caused to be read from disks or written to them.",
        .source = "`PID/io`",
        .formula = "read_bytes or write_bytes",
        .rules = "the kernel adds those of children that have ended and been waited for",
        .equals = "psutil `io_counters()` (read_bytes, write_bytes)",
    },
};

}  // namespace

constinit const CollectorSpec processes = {.name = "processes", .selectors = kSelectors, .metrics = kMetrics};

}  // namespace monitor::metrics::catalog
