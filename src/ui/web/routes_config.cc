// Api: the configuration of the fleet, and the plugins that agents run.
#include "config/keys.h"
#include "ui/web/api.h"

namespace monitor::analysis::web {

namespace {

using namespace schema;  // NOLINT(google-build-using-namespace)

Parameter key_parameter() {
  return {.name = "key",
          .description =
              config::defaults_key() + ", " + config::group_key("NAME") + " or " + config::agent_key("AGENT") + ".",
          .required = true,
          .example = config::defaults_key()};
}

Schema problem_schema() {
  return object({{"path", text("the document, where several are checked together")},
                 {"line", integer("0: unknown")},
                 {"key", text("the setting")},
                 {"message", text()},
                 {"got", text()},
                 {"known", text("what would be accepted")},
                 {"warning", boolean("the document is valid nevertheless")},
                 {"text", text("the whole problem in one line, for people")}});
}

Schema overview_result() {
  const Schema document = object({{"key", text()},
                                  {"kind", one_of({"defaults", "group", "agent", "override"})},
                                  {"revision", integer("0 if the store has no revisions")},
                                  {"tag", text("identifies this version of the document")},
                                  {"bytes", integer()},
                                  {"expires", time("when an override ends").or_null()}});
  const Schema agent = object({{"agent", text()},
                               {"state", one_of({"applied", "pending", "failed", "stopped", "gone"})},
                               {"applied", integer("the applied revision")},
                               {"wanted", integer("the revision that should be applied")},
                               {"seen", time("when it last reported its status")},
                               {"error", text("why it rejected the wanted revision").or_null()},
                               {"last_failed", integer("the revision that it rejected").or_null()},
                               {"warning", text().or_null()},
                               {"host", text().or_null()},
                               {"version", text().or_null()},
                               {"groups", list(text()).or_null()},
                               {"overrides", list(text()).or_null()},
                               {"hash", text("of the applied merged document").or_null()}});
  return object({{"live_id", text("a stream that follows this event misses no change of the rest")},
                 {"source", text("address or folder of the configuration")},
                 {"files", boolean("a folder, not etcd")},
                 {"documents", list(document)},
                 {"agents", list(agent)}});
}

Schema document_result() {
  return object({{"key", text()},
                 {"value", text()},
                 {"revision", integer("0 if the store has no revisions")},
                 {"tag", text("identifies this version; send it as `base` with a change")},
                 {"place", text("the key in etcd, or the file")}});
}

Schema change_body() {
  return object({{"base", text("the `tag` of the version that was edited; null: there was no document").or_null()},
                 {"value", text("the new text; if it is absent, the document is deleted").optional()},
                 {"message", text("why, for the history; at most 2,000 bytes").optional()}});
}

Schema explain_result() {
  return object({{"agent", text()},
                 {"valid", boolean()},
                 {"problems", list(ref("Problem"))},
                 {"layers", list(object({{"layer", text("its key")},
                                         {"key", text("the key in etcd, or the file")},
                                         {"revision", integer()}}),
                                 "lowest first")},
                 {"values", list(object({{"path", text()},
                                         {"value", any()},
                                         {"layer", text("the key of the layer that sets it; null: built in").or_null()},
                                         {"key", text("that key in etcd, or the file").or_null()},
                                         {"revision", integer()}}))}});
}

Schema preview_result() {
  const Schema change = object({{"path", text("JSON pointer")}, {"before", any()}, {"after", any()}});
  const Schema row = object({{"agent", text()},
                             {"state", one_of({"applied", "pending", "failed", "stopped", "gone"})},
                             {"changes", list(change, "of its effective values; null: it has no such value")},
                             {"problems", list(text(), "why it would reject its configuration")}});
  return object({{"agents", integer("all agents")},
                 {"uses", integer("agents that have the document among their layers")},
                 {"affected", integer("agents whose effective values change")},
                 {"refusing", integer("agents that would reject their configuration")},
                 {"rows", list(row, "the first 200 of the agents that are affected or would reject it")}});
}

Schema history_result() {
  const Schema version = object(
      {{"revision", integer("with files the number of the change; 0: unknown")},
       {"value", text("the document after the change; null: it was deleted, or was too large to keep").or_null()},
       {"deleted", boolean("the change deleted the document")},
       {"time", time("when it was made; without a record about when").or_null()},
       {"recorded", boolean("its author recorded it; false: it was made by other means, such as etcdctl")},
       {"found", time("when a later change noticed it, if it was not recorded").or_null()},
       {"who", text("who made it; null: unknown, or the caller may not change documents").or_null()},
       {"why", text("as its author said").or_null()}});
  return object({{"key", text()},
                 {"kept", boolean("false: the store keeps no old versions")},
                 {"complete", boolean("the last version is the first one ever")},
                 {"versions", list(version, "newest first, at most 50")}});
}

Parameter override_parameter() {
  return {.name = "key",
          .description = config::agent_overrides("AGENT") + "NAME, " + config::group_overrides("GROUP") + "NAME or " +
                         config::shared_overrides() + "NAME.",
          .required = true,
          .example = config::agent_overrides("agent-001") + "fast"};
}

}  // namespace

void Api::declare_plugin_report(RouteTable& table) {
  table.routes.push_back(
      {.method = "GET",
       .path = "/plugins",
       .role = access::Role::kViewer,
       .id = "getPlugins",
       .summary = "Plugins, as agents report them",
       .result =
           object({{"known", list(text(), "names of built-in plugins")},
                   {"plugins", list(object({{"agent", text()},
                                            {"host", text()},
                                            {"agent_version", text("of the agent's program")},
                                            {"plugin", open_object("as in the agent's status document")}}),
                                    "of agents that are alive; those of an agent in the order of its chain")},
                   {"refused", list(object({{"agent", text()}, {"host", text()}, {"reason", text("names the plugin")}}),
                                    "agents that reject a configuration because of a plugin, and keep the one "
                                    "before")}}),
       .handler = [this](const Call& call) {
         config_executor_.submit(call.responder, [this] { return config_.plugins(); });
       }});
}

void Api::declare_config(RouteTable& table) {
  table.schemas.emplace_back("Problem", problem_schema());
  table.schemas.emplace_back("ConfigEvent", object({{"trouble", text("why it cannot be read; empty: it can")}}));
  table.schemas.emplace_back("Invalid", object({{"error", text()}, {"problems", list(ref("Problem"))}}));
  table.schemas.emplace_back(
      "Conflict",
      object(
          {{"error", text()},
           {"current",
            object({{"value", text()}, {"revision", integer()}, {"tag", text()}}, "null: it was deleted").or_null()}}));
  table.routes.push_back({.method = "GET",
                          .path = "/config",
                          .role = access::Role::kViewer,
                          .id = "getConfig",
                          .summary = "All documents, and the revision that each agent runs",
                          .result = overview_result(),
                          .handler = [this](const Call& call) {
                            // Read before the configuration: what changes later is announced later.
                            config_executor_.submit(call.responder,
                                                    [this, live_id = broadcaster_.id(broadcaster_.last())] {
                                                      return config_.overview(live_id);
                                                    });
                          }});
  declare_documents(table);
  declare_document_changes(table);
  table.routes.push_back({.method = "GET",
                          .path = "/config/explain",
                          .role = access::Role::kViewer,
                          .id = "explainConfig",
                          .summary = "The effective configuration of an agent, with the origin of every value",
                          .parameters = {{.name = "agent", .description = "The agent's id.", .required = true}},
                          .result = explain_result(),
                          .handler = [this](const Call& call) {
                            config_executor_.submit(call.responder, [this, name = call.query.text("agent")] {
                              return config_.explain(name);
                            });
                          }});
  table.routes.push_back({.method = "GET",
                          .path = "/config/schema",
                          .role = access::Role::kViewer,
                          .id = "getConfigSchema",
                          .summary = "The JSON Schema of a document",
                          .result = open_object(),
                          .handler = [this](const Call& call) {
                            config_executor_.submit(call.responder, [this] { return config_.schema(); });
                          }});
  declare_plugin_report(table);
}

void Api::declare_documents(RouteTable& table) {
  table.routes.push_back({.method = "GET",
                          .path = "/config/document",
                          .role = access::Role::kViewer,
                          .id = "getDocument",
                          .summary = "A document as it is stored",
                          .parameters = {key_parameter()},
                          .result = document_result(),
                          .errors = {{404, "The document does not exist."}},
                          .handler = [this](const Call& call) {
                            config_executor_.submit(
                                call.responder, [this, key = call.query.text("key")] { return config_.document(key); });
                          }});
  table.routes.push_back(
      {.method = "PUT",
       .path = "/config/document",
       .role = access::Role::kEditor,
       .id = "putDocument",
       .summary = "Create, replace or delete a document if its version is still `base`",
       .parameters = {key_parameter()},
       .result = object({{"key", text()}, {"revision", integer()}, {"tag", text("null: deleted").or_null()}}),
       .errors = {{409, "The document has changed; `current` is the stored version.", "Conflict"},
                  {413, "The body is too large."},
                  {422, "The document is not valid; nothing was stored.", "Invalid"}},
       .body = change_body(),
       .handler = [this](const Call& call) { change_document(call); }});
  table.routes.push_back({.method = "POST",
                          .path = "/config/validate",
                          .role = access::Role::kViewer,
                          .id = "validateDocument",
                          .summary = "Check a document without storing it",
                          .parameters = {key_parameter()},
                          .result = object({{"valid", boolean()}, {"problems", list(ref("Problem"))}}),
                          .errors = {{413, "The body is too large."}},
                          .body = open_object("the document; any text is accepted and checked"),
                          .handler = [this](const Call& call) {
                            config_executor_.submit(call.responder,
                                                    [this, key = call.query.text("key"), body = call.request.body] {
                                                      return config_.validate(key, body);
                                                    });
                          }});
}

void Api::declare_document_changes(RouteTable& table) {
  table.routes.push_back(
      {.method = "POST",
       .path = "/config/preview",
       .role = access::Role::kViewer,
       .id = "previewDocument",
       .summary = "Which agents a change to a document would affect, and how, without storing it",
       .parameters = {key_parameter()},
       .result = preview_result(),
       .errors = {{413, "The body is too large."}},
       .body = object({{"value", text("the new text; if it is absent, the document is deleted").optional()}}),
       .handler = [this](const Call& call) {
         config_executor_.submit(call.responder, [this, key = call.query.text("key"), body = call.request.body] {
           return config_.preview(key, body);
         });
       }});
  table.routes.push_back({.method = "GET",
                          .path = "/config/history",
                          .role = access::Role::kViewer,
                          .id = "getDocumentHistory",
                          .summary = "The recorded versions of a document, and others that etcd still has",
                          .parameters = {key_parameter()},
                          .result = history_result(),
                          .handler = [this](const Call& call) {
                            // On a page without a login everybody may know.
                            const bool names =
                                call.who.role >= access::Role::kEditor || call.who.kind == Identity::Kind::kOpen;
                            config_executor_.submit(call.responder, [this, key = call.query.text("key"), names] {
                              return config_.history(key, names);
                            });
                          }});
  table.routes.push_back(
      {.method = "POST",
       .path = "/config/override",
       .role = access::Role::kEditor,
       .id = "setOverride",
       .summary = "Override settings of an agent, a group or all agents for a limited time",
       .parameters = {override_parameter()},
       .result = object({{"key", text()}, {"revision", integer()}, {"tag", text()}}),
       .errors = {{413, "The body is too large."}, {422, "The settings are not valid; nothing was stored.", "Invalid"}},
       .body = object({{"value", text("the settings, as the JSON of a document")},
                       {"seconds", integer("for how long, up to 30 days")},
                       {"message", text("why, for the history").optional()}}),
       .handler = [this](const Call& call) {
         const Request& request = call.request;
         config_executor_.submit(call.responder,
                                 [this, key = call.query.text("key"), body = request.body,
                                  by = ChangedBy{call.who, request.address, request.forwarded_for, request.origin}] {
                                   return config_.set_override(key, body, by);
                                 });
         config_read_ns_ = 0;  // show its effect at the next tick
       }});
}

void Api::change_document(const Call& call) {
  const Request& request = call.request;
  config_executor_.submit(call.responder, [this, key = call.query.text("key"), body = request.body,
                                           by = ChangedBy{call.who, request.address, request.forwarded_for,
                                                          request.origin}] { return config_.change(key, body, by); });
  config_read_ns_ = 0;  // show its effect at the next tick
}

}  // namespace monitor::analysis::web
