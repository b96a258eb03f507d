// The parameters of /api/v1/rules, as Prometheus reads them.
#pragma once

#include "base/result.h"
#include "ui/web/prom_parameters.h"
#include "ui/web/prom_reply.h"

namespace monitor::analysis::web {

// kInvalidArgument, in the words of Prometheus. Pure.
Result<RuleFilter> read_rule_filter(const PromParameters& parameters);

}  // namespace monitor::analysis::web
