// PromApi: the declarations of its routes.
#include <utility>

#include "ui/web/prom_api.h"

namespace monitor::analysis::web {

namespace {

using namespace schema;  // NOLINT(google-build-using-namespace)

constexpr size_t kMostSelectors = 100;

Parameter parameter(std::string name, std::string description, std::string example = "") {
  return {.name = std::move(name), .description = std::move(description), .example = std::move(example)};
}

Parameter query_parameter() {
  Parameter made = parameter("query", "A PromQL expression.", "up");
  made.required = true;
  return made;
}

std::vector<Parameter> of_queries(std::vector<Parameter> times) {
  std::vector<Parameter> all = {query_parameter()};
  for (Parameter& one : times) all.push_back(std::move(one));
  all.push_back(parameter("timeout", "End the query after this time: seconds, or a duration such as 10s."));
  all.push_back(parameter("limit", "The most series in the result; 0: no limit."));
  all.push_back(parameter("lookback_delta", "How long a value counts unless a newer one follows; 5m by default."));
  all.push_back(parameter("stats", "If not empty, the result has statistics."));
  return all;
}

std::vector<Parameter> of_lists(bool required) {
  Parameter selectors = parameter("match[]", "A selector; a series is wanted if one of them finds it.", "up");
  selectors.most = kMostSelectors;
  selectors.required = required;
  return {std::move(selectors),
          parameter("start", "Leave out agents that were last seen before: Unix seconds, or RFC 3339."),
          parameter("end", "Is accepted, and has no effect."), parameter("limit", "The most entries; 0: 100,000.")};
}

Schema success(const Schema& data) {
  return object({{"status", one_of({"success"})},
                 {"data", data},
                 {"warnings", list(text()).optional()},
                 {"infos", list(text()).optional()}});
}

Schema labels_schema() { return map(text(), "with the metric's name as __name__"); }

Schema query_result() {
  return success(open_object("resultType (matrix, vector, scalar or string), result, and with `stats` also stats"));
}

Schema rules_result() {
  return success(object({{"groups", list(open_object("name, file, rules, interval, limit, evaluationTime, "
                                                     "lastEvaluation"))}}));
}

Schema build_result() {
  return success(object({{"version", text("of Prometheus, whose API this is")},
                         {"revision", text()},
                         {"branch", text()},
                         {"buildUser", text("this program and its version")},
                         {"buildDate", text()},
                         {"goVersion", text()}}));
}

Route route(std::string path, std::string id, std::string summary, std::vector<Parameter> parameters, Schema result) {
  return {.method = "GET",
          .path = std::move(path),
          .id = std::move(id),
          .summary = std::move(summary),
          .parameters = std::move(parameters),
          .result = std::move(result),
          .handler = {}};
}

}  // namespace

void PromApi::add(RouteTable& table, Route route, Answer answer, bool post) {
  route.dialect = Dialect::kPrometheus;
  route.role = access::Role::kViewer;
  route.for_programs = true;
  route.errors = {
      {400, "A parameter is wrong: errorType bad_data.", "PrometheusError"},
      {422, "The query cannot be evaluated, or exceeds a limit: errorType execution.", "PrometheusError"},
      {503, "Too many queries at once, or a time-out: errorType unavailable or timeout.", "PrometheusError"}};
  route.handler = [this, answer](const Call& call) { handle(call, answer); };
  route.method = "GET";
  table.routes.push_back(route);
  if (!post) return;
  route.method = "POST";
  route.id += "ByPost";
  table.routes.push_back(std::move(route));
}

void PromApi::declare(RouteTable& table) {
  table.schemas.emplace_back(
      "PrometheusError", object({{"status", one_of({"error"})},
                                 {"errorType", one_of({"bad_data", "execution", "timeout", "canceled", "unavailable",
                                                       "not_found", "internal"})},
                                 {"error", text("what is wrong, for people")}}));
  declare_queries(table);
  declare_series(table);
  declare_rules(table);
  add(table, route("/status/flags", "flags", "The limits of queries", {}, success(map(text()))), &PromApi::flags,
      false);
  add(table, route("/status/buildinfo", "buildInfo", "The version of the API", {}, build_result()),
      &PromApi::build_info, false);
}

void PromApi::declare_queries(RouteTable& table) {
  add(table,
      route("/query", "query", "The value of a PromQL expression at one moment",
            of_queries({parameter("time", "The moment: Unix seconds, or RFC 3339; now by default.")}), query_result()),
      &PromApi::query);
  add(table,
      route("/query_range", "queryRange", "The values of a PromQL expression over a range of time",
            of_queries({parameter("start", "The first moment: Unix seconds, or RFC 3339.", "1700000000"),
                        parameter("end", "The last moment.", "1700000600"),
                        parameter("step", "The distance of two moments: seconds, or a duration such as 1m.", "60")}),
            query_result()),
      &PromApi::query_range);
  add(table,
      route("/query_exemplars", "queryExemplars", "There are no exemplars: an empty list",
            {query_parameter(), parameter("start", "Unix seconds, or RFC 3339."), parameter("end", "Likewise.")},
            success(list(open_object()))),
      &PromApi::exemplars);
  add(table,
      route("/format_query", "formatQuery", "The expression in its usual form", {query_parameter()}, success(text())),
      &PromApi::format_query);
}

void PromApi::declare_series(RouteTable& table) {
  add(table, route("/labels", "labels", "The names of all labels", of_lists(false), success(list(text()))),
      &PromApi::labels);
  std::vector<Parameter> of_values = of_lists(false);
  Parameter name = parameter("name", "The label; U__ begins a name with escapes.", "agent");
  name.in_path = true;
  of_values.insert(of_values.begin(), std::move(name));
  add(table,
      route("/label/{name}/values", "labelValues", "The values of a label", std::move(of_values),
            success(list(text()))),
      &PromApi::label_values, false);
  add(table,
      route("/series", "findSeries", "The series that selectors find", of_lists(true), success(list(labels_schema()))),
      &PromApi::series);
  add(table,
      route("/metadata", "metadata", "The type, description and unit of the metrics that collectors declare",
            {parameter("metric", "Only this one."), parameter("limit", "The most metrics; 0: no limit.")},
            success(map(list(object({{"type", one_of({"gauge", "counter"})}, {"help", text()}, {"unit", text()}}))))),
      &PromApi::metadata, false);
}

void PromApi::declare_rules(RouteTable& table) {
  Parameter type = parameter("type", "alert or record; both by default.");
  add(table,
      route("/rules", "rules", "The rules and their state",
            {std::move(type), parameter("rule_name[]", "Only rules of this name."),
             parameter("rule_group[]", "Only of this group."), parameter("file[]", "Only of this file."),
             parameter("match[]", "Only rules whose labels a selector finds; may be repeated."),
             parameter("exclude_alerts", "true: leave the alerts out."),
             parameter("group_limit", "The most groups; the answer then has groupNextToken if there are more."),
             parameter("group_next_token", "Go on where the answer with this groupNextToken ended.")},
            rules_result()),
      &PromApi::rules, false);
  add(table,
      route("/alerts", "alerts", "The alerts that are pending or firing", {},
            success(object({{"alerts", list(open_object("labels, annotations, state, activeAt, value"))}}))),
      &PromApi::alerts, false);
}

}  // namespace monitor::analysis::web
