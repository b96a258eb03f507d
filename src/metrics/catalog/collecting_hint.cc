#include "metrics/catalog/collecting_hint.h"

#include <fmt/format.h>

#include "metrics/catalog/catalog.h"
#include "metrics/prometheus_names.h"

namespace monitor::metrics {

std::string collecting_hint(const std::string& metric) {
  for (const CollectorSpec* const collector : collectors()) {
    for (const MetricSpec& spec : collector->metrics) {
      if (spec.name != metric && prometheus_name(declared_series(spec.name)) != metric) continue;
      return fmt::format("agents collect it if their configuration has {}{}", spec.selectors,
                         spec.option.empty() ? "" : fmt::format(" with \"{}\": true", spec.option));
    }
  }
  return {};
}

}  // namespace monitor::metrics
