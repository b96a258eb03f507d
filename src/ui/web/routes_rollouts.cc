// Api: rollouts of configuration.
#include "ui/web/api.h"

namespace monitor::analysis::web {

namespace {

using namespace schema;  // NOLINT(google-build-using-namespace)

Schema state_schema() { return one_of({"running", "paused", "undoing", "finishing", "done", "failed", "aborted"}); }

Schema counts_schema() {
  return object({{"members", integer("agents of the group that live")},
                 {"changed", integer("that are to run the new document now")},
                 {"applied", integer("of the changed ones, as all below")},
                 {"pending", integer()},
                 {"failed", integer("the sum of the next four")},
                 {"refused", integer()},
                 {"gone", integer()},
                 {"restarted", integer()},
                 {"quarantined", integer()},
                 {"away", integer("agents of the group that do not live")}},
                "when a program that drives it last looked");
}

Schema verdict_schema() {
  return object({{"judgement", text("its name, or its expression")},
                 {"outcome", one_of({"good", "bad", "undecided"})},
                 {"why", text()},
                 {"now", number("the average of the changed agents").or_null()},
                 {"before", number("of the same agents, before the rollout").or_null()},
                 {"others_now", number("the average of the unchanged agents").or_null()},
                 {"others_before", number().or_null()}});
}

Schema rollout_schema() {
  const Schema event = object({{"time", time()}, {"event", text()}, {"text", text()}});
  const Schema trouble = object({{"agent", text()}, {"why", text()}});
  const Schema past = object({{"id", text()},
                              {"state", state_schema()},
                              {"content", text()},
                              {"author", text()},
                              {"message", text()},
                              {"reason", text()},
                              {"started", time()},
                              {"ended", time().or_null()}});
  return object({{"group", text()},
                 {"id", text()},
                 {"state", state_schema()},
                 {"over", boolean("it is done, failed or aborted")},
                 {"summary", text("the state in words")},
                 {"reason", text("why it is paused, undone, or has ended")},
                 {"author", text()},
                 {"message", text()},
                 {"content", text("identifies the document's content")},
                 {"document", text("the new document of the group")},
                 {"started", time()},
                 {"ended", time().or_null()},
                 {"step", integer("from 0")},
                 {"steps", list(text(), "shares or numbers of agents; the first one is the canary")},
                 {"judged_at", time("when this step is judged; null: not all have applied it").or_null()},
                 {"ends_by_itself", time("when its changes end if nobody continues it").or_null()},
                 {"driver", text("the program that drives it; null: none does").or_null()},
                 {"counts", counts_schema()},
                 {"troubles", list(trouble, "the first ten of the agents that failed")},
                 {"verdicts", list(verdict_schema(), "of this step")},
                 {"events", list(event, "oldest first, at most 60")},
                 {"past", list(past, "earlier rollouts of the group, newest first")}});
}

Schema rollouts_result() {
  return object({{"rollouts", list(rollout_schema(), "the last rollout of each group that had one")},
                 {"faults", list(object({{"key", text()}, {"error", text()}}), "states that cannot be read")}});
}

}  // namespace

void Api::declare_rollouts(RouteTable& table) {
  table.routes.push_back({.method = "GET",
                          .path = "/rollouts",
                          .role = access::Role::kViewer,
                          .id = "getRollouts",
                          .summary = "The last rollout of each group: its steps, agents and judgements",
                          .result = rollouts_result(),
                          .handler = [this](const Call& call) {
                            config_executor_.submit(call.responder, [this] { return config_.rollouts(); });
                          }});
  table.routes.push_back(
      {.method = "POST",
       .path = "/rollouts/operate",
       .role = access::Role::kEditor,
       .id = "operateRollout",
       .summary = "Pause, resume or abort the rollout of a group; a controller or a command carries it out",
       .parameters = {{.name = "group", .description = "The group.", .required = true, .example = "web"}},
       .result = rollouts_result(),
       .errors = {{404, "The group has had no rollout."},
                  {409, "The rollout is in a state in which this is not possible."},
                  {413, "The body is too large."}},
       .body = object({{"action", one_of({"pause", "resume", "abort"})}, {"message", text("why").optional()}}),
       .handler = [this](const Call& call) {
         const Request& request = call.request;
         config_executor_.submit(call.responder,
                                 [this, group = call.query.text("group"), body = request.body,
                                  by = ChangedBy{call.who, request.address, request.forwarded_for, request.origin}] {
                                   return config_.operate_rollout(group, body, by);
                                 });
         config_read_ns_ = 0;  // show its effect at the next tick
       }});
}

}  // namespace monitor::analysis::web
