// RulesApi: the declarations of its routes.
#include <utility>

#include "ui/web/rules_api.h"

namespace monitor::analysis::web {

namespace {

using namespace schema;  // NOLINT(google-build-using-namespace)
using access::Role;

Schema file_schema(bool with_text) {
  std::vector<Field> fields = {{"file", text("as /api/v1/rules names it")},
                               {"document", text("its name in the configuration; null: it is a file of --rules, which "
                                                 "cannot be changed here")
                                                .or_null()},
                               {"tag", text("identifies this version; send it as `base` with a change").or_null()},
                               {"place", text("the key in etcd, or the path")},
                               {"fault", text("why this version is not in force").or_null()}};
  if (with_text) {
    fields.emplace_back("text", text());
  } else {
    fields.emplace_back("rules", integer());
    fields.emplace_back("in_force", boolean("a version of it is evaluated"));
  }
  return object(fields);
}

Schema rule_groups() {
  const Schema rule = object({{"kind", one_of({"alert", "record"})},
                              {"name", text()},
                              {"expr", text()},
                              {"for", text("such as 5m; empty: none")},
                              {"keep_firing_for", text()},
                              {"labels", map(text(), "without those of its group")},
                              {"annotations", map(text())},
                              {"line", integer("where the rule begins in the text")},
                              {"column", integer()}});
  return list(object({{"name", text()},
                      {"interval", text("empty: the default, 15s")},
                      {"labels", map(text())},
                      {"line", integer()},
                      {"rules", list(rule)}}));
}

Schema check_result() {
  return object({{"valid", boolean()},
                 {"problems", list(ref("RuleProblem"))},
                 {"groups", rule_groups()},
                 {"compared", boolean("the rules were compared with the series of the last hour")},
                 {"trouble", text("why they were not, or empty")}});
}

Schema replay_result() {
  const Schema extent =
      object({{"resolution", one_of({"full", "1s", "10s", "1m", "1h"})}, {"from", time()}, {"to", time()}});
  const Schema group = object({{"file", text()},
                               {"name", text()},
                               {"interval", number("seconds")},
                               {"step", number("seconds between the evaluations that were made: a multiple of the "
                                               "interval, if there would have been too many")}});
  const Schema alert = object({{"rule", text()},
                               {"group", text()},
                               {"labels", map(text())},
                               {"annotations", map(text(), "as they would have been sent")},
                               {"value", text("of the expression, when the alert fired or became pending")},
                               {"active", time("pending from then on")},
                               {"fired", time("null: it never fired").or_null()},
                               {"ended", time("null: it was active at the end").or_null()}});
  return object({{"from", time()},
                 {"to", time()},
                 {"history", list(extent, "how far the history reaches, by resolution")},
                 {"groups", list(group)},
                 {"evaluations", integer("of rules")},
                 {"fired", integer("how often an alert would have fired")},
                 {"left_out", integer("of the oldest entries that `alerts` would have")},
                 {"failures", list(text(), "rules that could not be evaluated, and why")},
                 {"alerts", list(alert, "the times in which alerts would have been active, the oldest first")}});
}

Schema text_body() { return open_object("a file of rules, as YAML; any text is accepted and checked"); }

ChangedBy changed_by(const Call& call) {
  return {call.who, call.request.address, call.request.forwarded_for, call.request.origin};
}

}  // namespace

void RulesApi::declare(RouteTable& table) {
  table.schemas.emplace_back("RuleProblem", object({{"line", integer()},
                                                    {"column", integer()},
                                                    {"text", text()},
                                                    {"warning", boolean("the file is valid nevertheless")}}));
  table.schemas.emplace_back("InvalidRules", object({{"error", text()}, {"problems", list(ref("RuleProblem"))}}));
  declare_files(table);
  declare_replay(table);
}

void RulesApi::declare_files(RouteTable& table) {
  table.routes.push_back({.method = "GET",
                          .path = "/rules/files",
                          .role = Role::kViewer,
                          .id = "getRuleFiles",
                          .summary = "The files of rules: those of --rules, and those in the configuration",
                          .result = object({{"files", list(file_schema(false))},
                                            {"configuration", text("address or folder of the configuration")},
                                            {"trouble", text("why the configuration cannot be read; empty: it can")}}),
                          .handler = [this](const Call& call) {
                            config_executor_.submit(call.responder,
                                                    [this, known = files()] { return documents_.list(known); });
                          }});
  table.routes.push_back({.method = "GET",
                          .path = "/rules/file",
                          .role = Role::kViewer,
                          .id = "getRuleFile",
                          .summary = "One file of rules with its text",
                          .parameters = {{.name = "file", .description = "Its name in the list.", .required = true}},
                          .result = file_schema(true),
                          .errors = {{404, "There is no such file."}},
                          .handler = [this](const Call& call) {
                            config_executor_.submit(call.responder,
                                                    [this, name = call.query.text("file"), known = files()] {
                                                      return documents_.read(name, known);
                                                    });
                          }});
  table.routes.push_back(
      {.method = "PUT",
       .path = "/rules/document",
       .role = Role::kEditor,
       .id = "putRules",
       .summary = "Create, replace or delete a file of rules in the configuration if its version is still `base`",
       .parameters = {{.name = "name", .description = "Its name in the configuration.", .required = true}},
       .result = object({{"key", text()}, {"revision", integer()}, {"tag", text("null: deleted").or_null()}}),
       .errors = {{409, "The file has changed; `current` is the stored version.", "Conflict"},
                  {413, "The body is too large."},
                  {422, "The file is not valid; nothing was stored.", "InvalidRules"}},
       .body = object({{"base", text("the `tag` of the version that was edited; null: there was no file").or_null()},
                       {"value", text("the new text; if it is absent, the file is deleted").optional()}}),
       .handler = [this](const Call& call) {
         config_executor_.submit(call.responder, [this, name = call.query.text("name"), body = call.request.body,
                                                  by = changed_by(call)] { return documents_.change(name, body, by); });
       }});
}

void RulesApi::declare_replay(RouteTable& table) {
  table.routes.push_back({.method = "POST",
                          .path = "/rules/check",
                          .role = Role::kViewer,
                          .id = "checkRules",
                          .summary = "Check a file of rules without storing it",
                          .parameters = {{.name = "compare",
                                          .description = "Also warn of rules that no series of the last hour fits.",
                                          .type = Parameter::Type::kChoice,
                                          .choices = {"nothing", "series"},
                                          .otherwise = "nothing"}},
                          .result = check_result(),
                          .errors = {{413, "The body is too large."}},
                          .body = text_body(),
                          .handler = [this](const Call& call) { check(call); }});
  table.routes.push_back(
      {.method = "POST",
       .path = "/rules/replay",
       .role = Role::kViewer,
       .id = "replayRules",
       .summary = "What the alerts of a file would have done",
       .parameters =
           {{.name = "from", .description = "The first moment.", .type = Parameter::Type::kTime, .otherwise = "-7d"},
            {.name = "to", .description = "The last moment; now by default.", .type = Parameter::Type::kTime},
            {.name = "alert", .description = "Only this alert."}},
       .result = replay_result(),
       .errors = {{413, "The body is too large, or the replay exceeds a limit."},
                  {422, "The file is not valid.", "InvalidRules"}},
       .body = text_body(),
       .handler = [this](const Call& call) { replay(call); }});
}

}  // namespace monitor::analysis::web
