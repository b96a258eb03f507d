// Declaration of the collector of sensors: inputs/proc/sensors.cc. Names and labels are those of OpenTelemetry.
#include <array>

#include "metrics/catalog/catalog.h"
#include "metrics/catalog/steps.h"

namespace monitor::metrics::catalog {

namespace {

constexpr std::array kOptions = {OptionSpec{
    .name = "limits", .since = "0.2.0", .description = "Adds the limits of sensors, labelled hw.limit_type"}};

constexpr std::array kSelectors = {
    SelectorSpec{.name = "sensors",
                 .since = "0.2.0",
                 .description = "Temperatures, fans, voltages, currents, power and energy of the hardware",
                 .options = kOptions},
};

constexpr std::string_view kRules = "[sensors](#sensors)";

constexpr std::array kMetrics = {
    MetricSpec{
        .name = "hw.temperature",
        .title = "Temperature",
        .unit = "Cel",
        .exponent = kThousandths,
        .selectors = "sensors",
        .typical = 45,
        .description = "Temperature of a part of the hardware, in degrees Celsius.",
        .source =
            "`class/hwmon/*/tempN_input` ([sysfs-interface.rst](https://docs.kernel.org/hwmon/sysfs-interface.html)), "
            "`class/thermal/thermal_zone*/temp`",
        .formula = "the value of the file / 1000",
        .rules = kRules,
        .equals = "`sensors`",
    },
    MetricSpec{
        .name = "hw.temperature.limit",
        .title = "Temperature limit",
        .unit = "Cel",
        .exponent = kThousandths,
        .selectors = "sensors",
        .option = "limits",
        .typical = 100,
        .description = "Limit of a temperature, as its chip or driver states it.",
        .source = "`class/hwmon/*/tempN_crit`, `_max`, `_min`, `_lcrit`",
        .formula = "the value of the file / 1000",
        .rules = "`hw.limit_type`: `high.critical`, `high.degraded`, `low.degraded`, `low.critical`",
        .equals = "`sensors` (crit, high, low, crit low)",
    },
    MetricSpec{
        .name = "hw.fan.speed",
        .title = "Fan speed",
        .unit = "rpm",
        .selectors = "sensors",
        .typical = 1200,
        .description = "Revolutions of a fan per minute.",
        .source = "`class/hwmon/*/fanN_input`",
        .formula = "the value of the file",
        .rules = kRules,
        .equals = "`sensors`",
    },
    MetricSpec{
        .name = "hw.fan.speed.limit",
        .title = "Fan speed limit",
        .unit = "rpm",
        .selectors = "sensors",
        .option = "limits",
        .typical = 300,
        .description = "Limit of a fan's speed, as its chip or driver states it.",
        .source = "`class/hwmon/*/fanN_min`, `_max`",
        .formula = "the value of the file",
        .rules = "as of temperatures",
        .equals = "`sensors` (min, max)",
    },
    MetricSpec{
        .name = "hw.voltage",
        .title = "Voltage",
        .unit = "V",
        .exponent = kThousandths,
        .selectors = "sensors",
        .typical = 12,
        .description = "Voltage at a part of the hardware.",
        .source = "`class/hwmon/*/inN_input`",
        .formula = "the value of the file / 1000",
        .rules = kRules,
        .equals = "`sensors`, without its configuration's `compute`",
    },
    MetricSpec{
        .name = "hw.voltage.limit",
        .title = "Voltage limit",
        .unit = "V",
        .exponent = kThousandths,
        .selectors = "sensors",
        .option = "limits",
        .typical = 13,
        .description = "Limit of a voltage, as its chip or driver states it.",
        .source = "`class/hwmon/*/inN_crit`, `_max`, `_min`, `_lcrit`",
        .formula = "the value of the file / 1000",
        .rules = "as of temperatures",
        .equals = "`sensors` (min, max)",
    },
    MetricSpec{
        .name = "hw.current",
        .title = "Current",
        .unit = "A",
        .exponent = kThousandths,
        .selectors = "sensors",
        .typical = 2,
        .description = "Electric current at a part of the hardware.",
        .source = "`class/hwmon/*/currN_input`",
        .formula = "the value of the file / 1000",
        .rules = kRules,
        .equals = "`sensors`",
    },
    MetricSpec{
        .name = "hw.power",
        .title = "Power",
        .unit = "W",
        .exponent = kMillionths,
        .selectors = "sensors",
        .typical = 60,
        .description = "Power that a part of the hardware uses.",
        .source =
            "`class/hwmon/*/powerN_input`, else `powerN_average`; of energy counters: `class/hwmon/*/energyN_input`, "
            "`class/powercap/*/energy_uj`",
        .formula = "the value of the file / 1,000,000; of energy counters: growth / elapsed",
        .rules = kRules,
        .equals = "`sensors`; `turbostat` (PkgWatt) for RAPL",
    },
    MetricSpec{
        .name = "hw.energy",
        .title = "Energy, total",
        .unit = "J",
        .kind = Kind::kCounter,
        .exponent = kMillionths,
        .selectors = "sensors",
        .typical = 60,
        .description = "Energy that a part of the hardware has used since its counter was last 0.",
        .source = "`class/hwmon/*/energyN_input`, `class/powercap/*/energy_uj` "
                  "([powercap.rst](https://docs.kernel.org/power/powercap/powercap.html))",
        .formula = "the value of the file / 1,000,000",
        .rules = kRules,
        .equals = "`node_rapl_*_joules_total` of node_exporter",
    },
};

}  // namespace

constinit const CollectorSpec sensors = {.name = "sensors", .selectors = kSelectors, .metrics = kMetrics};

}  // namespace monitor::metrics::catalog
