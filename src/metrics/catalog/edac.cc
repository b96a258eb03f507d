// Declaration of the collector of memory errors: inputs/proc/edac.cc. Name and labels are those of OpenTelemetry.
#include <array>

#include "metrics/catalog/catalog.h"

namespace monitor::metrics::catalog {

namespace {

constexpr std::array kSelectors = {
    SelectorSpec{.name = "edac",
                 .since = "0.2.0",
                 .description = "Corrected and uncorrected errors of each memory module, as EDAC counts them"},
};

constexpr std::array kMetrics = {
    MetricSpec{
        .name = "hw.errors",
        .title = "Memory errors, total",
        .unit = "{error}",
        .kind = Kind::kCounter,
        .selectors = "edac",
        .typical = 0,
        .description = "Errors of a memory module, labelled error.type: corrected, uncorrected.",
        .source = "`devices/system/edac/mc/mc*/dimm*/dimm_ce_count` and `dimm_ue_count`, or of `rank*` "
                  "([RAS](https://docs.kernel.org/admin-guide/RAS/main.html))",
        .formula = "the value of the file",
        .rules =
            "an error whose module is unknown counts for the module `unknown` of its controller (`ce_noinfo_count`, "
            "`ue_noinfo_count`). A controller without folders of modules has one series (`ce_count`, `ue_count`)",
        .equals = "`edac-util`; `ras-mc-ctl --error-count`"},
};

constexpr std::array kPartLabels = {
    LabelSpec{"hw.id", ""},
    LabelSpec{"hw.name", ""},
    LabelSpec{"hw.parent", ""},
    LabelSpec{"hw.type", "memory"},
    LabelSpec{"error.type", "corrected,uncorrected"},
};

}  // namespace

constinit const CollectorSpec edac = {
    .name = "edac", .selectors = kSelectors, .metrics = kMetrics, .part_labels = kPartLabels};

}  // namespace monitor::metrics::catalog
