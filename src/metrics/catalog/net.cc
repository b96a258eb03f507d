// Declaration of the network interfaces' collector: inputs/proc/net.h.
#include <array>

#include "metrics/catalog/catalog.h"

namespace monitor::metrics::catalog {

namespace {

constexpr std::array kOptions = {
    OptionSpec{.name = "per_interface",
               .since = "0.1.0",
               .description = "Adds one series per interface, labelled network.interface.name"},
    kCounters,
    kInclude,
    kExclude,
};

constexpr std::array kSelectors = {
    SelectorSpec{.name = "net in",
                 .since = "0.1.0",
                 .description = "Bytes received per second, without loopback",
                 .options = kOptions},
    SelectorSpec{.name = "net out",
                 .since = "0.1.0",
                 .description = "Bytes sent per second, without loopback",
                 .options = kOptions},
    SelectorSpec{.name = "net errors",
                 .since = "0.2.0",
                 .description = "Errors and dropped packets of network interfaces per second, without loopback",
                 .options = kOptions},
};

constexpr std::array kDirections = {LabelSpec{"network.io.direction", "receive,transmit"}};

constexpr std::array kMetrics = {
    MetricSpec{
        .name = "system.network.io.rate",
        .title = "Network throughput",
        .unit = "By/s",
        .selectors = "net in,net out",
        .labels = kDirections,
        .typical = 10e6,
        .description = "Bytes that network interfaces received or sent, per second.",
        .source = "`net/dev` ([proc_pid_net(5)](https://man7.org/linux/man-pages/man5/proc_pid_net.5.html))",
        .formula = "growth of bytes / elapsed",
        .rules = "[interfaces](#interfaces)",
        .equals = "`sar -n DEV`, psutil `net_io_counters(pernic=True)`",
    },
    MetricSpec{
        .name = "system.network.io",
        .title = "Network bytes",
        .unit = "By",
        .kind = Kind::kCounter,
        .selectors = "net in,net out",
        .option = "counters",
        .labels = kDirections,
        .typical = 10e6,
        .description = "Bytes that network interfaces have received or sent.",
        .source = "`net/dev`",
        .formula = "as for disks",
        .rules = "[interfaces](#interfaces)",
        .equals = "psutil `net_io_counters(pernic=True)`, `ip -s link`",
    },
    MetricSpec{
        .name = "system.network.errors.rate",
        .title = "Network errors",
        .unit = "{error}/s",
        .selectors = "net errors",
        .labels = kDirections,
        .typical = 0.02,
        .description = "Errors that network interfaces counted when they received or sent, per second.",
        .source = "`net/dev`",
        .formula = "growth of errs / elapsed",
        .rules = "[interfaces](#interfaces)",
        .equals = "`sar -n EDEV` (rxerr/s, txerr/s)",
    },
    MetricSpec{
        .name = "system.network.errors",
        .title = "Network errors, total",
        .unit = "{error}",
        .kind = Kind::kCounter,
        .selectors = "net errors",
        .option = "counters",
        .labels = kDirections,
        .typical = 0.02,
        .description = "Errors that network interfaces have counted.",
        .source = "`net/dev`",
        .formula = "as for disks",
        .rules = "[interfaces](#interfaces)",
        .equals = "psutil `net_io_counters(pernic=True)` (errin, errout), `ip -s link`",
    },
    MetricSpec{
        .name = "system.network.packet.dropped.rate",
        .title = "Dropped packets",
        .unit = "{packet}/s",
        .selectors = "net errors",
        .labels = kDirections,
        .typical = 0.02,
        .description = "Packets that network interfaces dropped when they received or sent, per second.",
        .source = "`net/dev`",
        .formula = "growth of drop / elapsed; the kernel includes packets for which it had no buffer",
        .rules = "[interfaces](#interfaces)",
        .equals = "psutil `net_io_counters(pernic=True)` (dropin, dropout)",
    },
    MetricSpec{
        .name = "system.network.packet.dropped",
        .title = "Dropped packets, total",
        .unit = "{packet}",
        .kind = Kind::kCounter,
        .selectors = "net errors",
        .option = "counters",
        .labels = kDirections,
        .typical = 0.02,
        .description = "Packets that network interfaces have dropped.",
        .source = "`net/dev`",
        .formula = "as for disks",
        .rules = "[interfaces](#interfaces)",
        .equals = "psutil `net_io_counters(pernic=True)` (dropin, dropout)",
    },
};

}  // namespace

constinit const CollectorSpec net = {.name = "net", .selectors = kSelectors, .metrics = kMetrics};

}  // namespace monitor::metrics::catalog
