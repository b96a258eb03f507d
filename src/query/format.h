// An expression as text, in the one form that Prometheus' parser prints, too. Pure.
#pragma once

#include <string>

#include "query/ast.h"

namespace monitor::query {

// On one line: sum by (agent) (rate(up[5m] offset 1h)). Parsing it gives the same tree.
std::string format_expression(const Expression& expression);

}  // namespace monitor::query
