// Api: help for those who write queries.
#include <fmt/format.h>

#include "base/escape.h"
#include "base/text.h"
#include "query/parser.h"
#include "ui/web/api.h"

namespace monitor::analysis::web {

using namespace schema;  // NOLINT(google-build-using-namespace)

// Prometheus' own operations answer 400 to a text that is no query, which is no failure while somebody is typing it.
void Api::declare_queries(RouteTable& table) {
  table.routes.push_back(
      {.method = "POST",
       .path = "/query/check",
       .role = access::Role::kViewer,
       .id = "checkQuery",
       .summary = "Whether a text is a query in PromQL, without evaluating it",
       .result = object(
           {{"valid", boolean()}, {"error", text("beginning with line and column, \"1:7: ...\"; empty: valid")}}),
       .errors = {{413, "The body is too large."}},
       .body = open_object("the query; any text is accepted and checked"),
       .handler = [this](const Call& call) {
         scrape_executor_.submit(call.responder, [text = call.request.body] {
           const auto expression = query::parse(text);
           return json_reply(printable(fmt::format(R"({{"valid":{},"error":{}}})", static_cast<bool>(expression),
                                                   json_quote(expression ? "" : expression.error().message()))));
         });
       }});
}

}  // namespace monitor::analysis::web
