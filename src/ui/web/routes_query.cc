// Api: help for those who write queries.
#include <fmt/format.h>

#include "base/escape.h"
#include "base/text.h"
#include "query/aggregation_parser.h"
#include "query/functions.h"
#include "query/parser.h"
#include "ui/web/api.h"

namespace monitor::analysis::web {

using namespace schema;  // NOLINT(google-build-using-namespace)

namespace {

// "(instant vector, scalar?)": what a function takes.
std::string signature_of(const query::FunctionSpec& function) {
  std::string text;
  for (size_t i = 0; i < function.arguments.size(); ++i) {
    const std::string_view type = query::type_name(function.arguments[i]);
    const bool repeats = function.optional == query::FunctionSpec::kRepeats && i + 1 == function.arguments.size();
    text += fmt::format("{}{}{}", text.empty() ? "" : ", ", type.substr(type.find(' ') + 1),
                        repeats                           ? "..."
                        : i >= function.least_arguments() ? "?"
                                                          : "");
  }
  return "(" + text + ")";
}

// True if the function's argument is a regular expression of agents' ids.
bool is_of_agents(const query::FunctionSpec& function) { return function.special == query::SpecialFunction::kOwn; }

std::string words_json() {
  std::string functions;
  for (const query::FunctionSpec& one : query::all_functions()) {
    functions += fmt::format(R"({}{{"name":"{}","signature":"{}","of_agents":{}}})", functions.empty() ? "" : ",",
                             one.name, signature_of(one), is_of_agents(one));
  }
  std::string aggregations;
  for (const query::AggregateSpec& one : query::all_aggregates()) {
    aggregations += fmt::format(R"({}{{"name":"{}","has_parameter":{}}})", aggregations.empty() ? "" : ",", one.name,
                                one.has_parameter);
  }
  return fmt::format(R"({{"functions":[{}],"aggregations":[{}]}})", functions, aggregations);
}

Schema words_schema() {
  return object(
      {{"functions", list(object({{"name", text()},
                                  {"signature", text("what it takes: \"(range vector, scalar?)\"; ? is optional, "
                                                     "... may repeat or be absent")},
                                  {"of_agents", boolean("it tells what is known of agents; its first argument is a "
                                                        "regular expression of their ids")}}))},
       {"aggregations", list(object({{"name", text()}, {"has_parameter", boolean("as topk(3, ...)")}}))}});
}

}  // namespace

// Prometheus' own operations answer 400 to a text that is no query, which is no failure while somebody is typing it.
void Api::declare_queries(RouteTable& table) {
  table.routes.push_back({.method = "GET",
                          .path = "/query/words",
                          .role = access::Role::kViewer,
                          .id = "listQueryWords",
                          .summary = "The functions and aggregations of queries, for completion",
                          .result = words_schema(),
                          .handler = [](const Call& call) { call.reply(json_reply(words_json())); }});
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
