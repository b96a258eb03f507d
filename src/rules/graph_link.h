// Links to the result of an expression, as Prometheus has them.
#pragma once

#include <string>
#include <string_view>

namespace monitor::rules {

enum class GraphTab : int { kGraph = 0, kTable = 1 };

// "/graph?g0.expr=...&g0.tab=1"
std::string graph_link(std::string_view expression, GraphTab tab);
// As Go's url.QueryEscape: a space becomes "+".
std::string query_escaped(std::string_view text);

}  // namespace monitor::rules
