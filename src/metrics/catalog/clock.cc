// Declaration of the collector of the host's clock: inputs/proc/clock.h.
#include <array>

#include "metrics/catalog/catalog.h"
#include "metrics/catalog/steps.h"

namespace monitor::metrics::catalog {

namespace {

constexpr int kBillionths = -9;
constexpr std::string_view kPermission =
    "only where the agent may call adjtimex: the packaged unit's `ProtectClock=` forbids it";

constexpr std::array kSelectors = {
    SelectorSpec{.name = "clock",
                 .since = "0.2.0",
                 .description = "The host's clock: synchronized or not, offset, errors, frequency, and steps"},
};

constexpr std::array kMetrics = {
    MetricSpec{.name = "system.clock.synchronized",
               .title = "Clock is synchronized",
               .unit = "{clock}",
               .selectors = "clock",
               .typical = 1,
               .description = "1 if the kernel's clock is synchronized, else 0.",
               .source = "[adjtimex(2)](https://man7.org/linux/man-pages/man2/adjtimex.2.html)",
               .formula = "0 if it returns TIME_ERROR, else 1",
               .rules = kPermission,
               .equals = "`timedatectl` (System clock synchronized), `node_timex_sync_status`"},
    MetricSpec{.name = "system.clock.offset",
               .title = "Clock offset",
               .unit = "s",
               .exponent = kBillionths,
               .selectors = "clock",
               .typical = 0.0001,
               .description = "Offset that the kernel still corrects by its own control loop.",
               .source = "adjtimex(2), offset",
               .formula = "nanoseconds with STA_NANO, else microseconds",
               .rules = kPermission,
               .equals = "`node_timex_offset_seconds`; 0 with chrony, which corrects by the frequency"},
    MetricSpec{.name = "system.clock.error.estimated",
               .title = "Clock error, estimated",
               .unit = "s",
               .exponent = kMillionths,
               .selectors = "clock",
               .typical = 0.0005,
               .description = "Error of the clock as the synchronizing program estimates it.",
               .source = "adjtimex(2), esterror",
               .formula = "microseconds",
               .rules = kPermission,
               .equals = "`node_timex_estimated_error_seconds`"},
    MetricSpec{.name = "system.clock.error.maximum",
               .title = "Clock error, maximum",
               .unit = "s",
               .exponent = kMillionths,
               .selectors = "clock",
               .typical = 0.05,
               .description = "Bound of the clock's error; it grows by 0.5 ms a second until the next correction.",
               .source = "adjtimex(2), maxerror",
               .formula = "microseconds",
               .rules = kPermission,
               .equals = "`node_timex_maxerror_seconds`"},
    MetricSpec{.name = "system.clock.frequency.offset",
               .title = "Clock frequency offset",
               .unit = "1",
               .exponent = kBillionths,
               .selectors = "clock",
               .typical = 0.00001,
               .description = "How much faster the kernel lets the clock run than its hardware does.",
               .source = "adjtimex(2), freq",
               .formula = "freq / 65,536 / 1,000,000",
               .rules = kPermission,
               .equals = "`node_timex_frequency_adjustment_ratio` - 1"},
    MetricSpec{
        .name = "system.clock.steps",
        .title = "Clock steps, total",
        .unit = "{step}",
        .kind = Kind::kCounter,
        .selectors = "clock",
        .typical = 0,
        .description = "Steps of the clock by more than 1 ms since the agent began to watch it.",
        .source = "CLOCK_REALTIME, CLOCK_BOOTTIME",
        .formula = "changes of their difference between two readings",
        .rules = "steps between two readings count as one; those that cancel out are not seen. Leap seconds count"},
    MetricSpec{
        .name = "system.clock.step.size",
        .title = "Size of a clock step",
        .unit = "s",
        .exponent = kBillionths,
        .selectors = "clock",
        .typical = 0,
        .description = "By how much the clock was set ahead since the reading before; negative if it was set back.",
        .source = "CLOCK_REALTIME, CLOCK_BOOTTIME",
        .formula = "the change of their difference",
        .rules = "only in the tick of a step"},
};

}  // namespace

constinit const CollectorSpec clock = {.name = "clock", .selectors = kSelectors, .metrics = kMetrics};

}  // namespace monitor::metrics::catalog
