// ConfigService: rollouts as the page shows them, and what operators do with them.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "config/foreign_json.h"
#include "config/keys.h"
#include "config/rollout/begin.h"
#include "config/rollout/machine.h"
#include "ui/web/config_json.h"
#include "ui/web/config_service.h"

namespace monitor::analysis::web {

using nlohmann::ordered_json;
namespace rollouts = config::rollout;

namespace {

ordered_json seconds_json(int64_t ns) {
  const int64_t millis = ns / kNanosPerMilli;
  return ns == 0 ? ordered_json() : ordered_json(static_cast<double>(millis) / 1000);
}

template <typename Value>
ordered_json optional_json(const std::optional<Value>& value) {
  return value ? ordered_json(*value) : ordered_json();
}

ordered_json counts_json(const rollouts::Counts& counts) {
  return {{"members", counts.members}, {"changed", counts.changed},     {"applied", counts.applied},
          {"pending", counts.pending}, {"failed", counts.failed()},     {"refused", counts.refused},
          {"gone", counts.gone},       {"restarted", counts.restarted}, {"quarantined", counts.quarantined},
          {"away", counts.away}};
}

ordered_json verdict_json(const rollouts::Verdict& one) {
  return {{"judgement", one.judgement},
          {"outcome", to_string(one.outcome)},
          {"why", one.why},
          {"now", optional_json(one.now)},
          {"before", optional_json(one.before)},
          {"others_now", optional_json(one.others_now)},
          {"others_before", optional_json(one.others_before)}};
}

ordered_json past_json(const rollouts::Past& one) {
  return {{"id", one.id},
          {"state", to_string(one.state)},
          {"content", one.content},
          {"author", one.author},
          {"message", one.message},
          {"reason", one.reason},
          {"started", seconds_json(one.started_ns)},
          {"ended", seconds_json(one.ended_ns)}};
}

ordered_json row_of(const rollouts::Rollout& rollout, int64_t now_ns) {
  ordered_json steps = ordered_json::array();
  for (const rollouts::Amount& step : rollout.steps) steps.push_back(to_string(step));
  ordered_json troubles = ordered_json::array();
  for (const rollouts::Trouble& one : rollout.troubles) troubles.push_back({{"agent", one.agent}, {"why", one.why}});
  ordered_json verdicts = ordered_json::array();
  for (const rollouts::Verdict& one : rollout.verdicts) {
    verdicts.push_back(verdict_json(one));
  }
  ordered_json events = ordered_json::array();
  for (const rollouts::Event& one : rollout.events) {
    events.push_back({{"time", seconds_json(one.time_ns)}, {"event", one.what}, {"text", one.text}});
  }
  ordered_json past = ordered_json::array();
  for (const rollouts::Past& one : rollout.past) {
    past.push_back(past_json(one));
  }
  return {{"group", rollout.group},
          {"id", rollout.id},
          {"state", to_string(rollout.state)},
          {"over", is_over(rollout.state)},
          {"summary", describe_state(rollout)},
          {"reason", rollout.reason},
          {"author", rollout.author},
          {"message", rollout.message},
          {"content", rollout.content},
          {"document", rollout.document},
          {"started", seconds_json(rollout.started_ns)},
          {"ended", seconds_json(rollout.ended_ns)},
          {"step", rollout.step},
          {"steps", steps},
          {"judged_at", seconds_json(rollouts::judged_at_ns(rollout))},
          {"ends_by_itself", seconds_json(is_over(rollout.state) ? 0 : rollout.lease_until_ns)},
          {"driver", now_ns < rollout.driver_until_ns ? ordered_json(rollout.driver) : ordered_json()},
          {"counts", counts_json(rollout.counts)},
          {"troubles", troubles},
          {"verdicts", verdicts},
          {"events", events},
          {"past", past}};
}

Status operate(rollouts::Rollout& rollout, const std::string& action, const std::string& who, const std::string& why,
               int64_t now_ns) {
  if (action == "pause") return pause(rollout, who, why, now_ns);
  if (action == "resume") return resume(rollout, who, now_ns);
  return abort(rollout, who, why, now_ns);
}

}  // namespace

Reply ConfigService::rollouts() {
  const auto opened = store();
  if (!opened) return error_reply(opened.error());
  const auto keys = (*opened)->list(std::string(config::kRolloutsRoot));
  if (!keys) return error_reply(keys.error());
  const auto all = rollouts::rollouts_in(*keys);
  ordered_json rows = ordered_json::array();
  for (const rollouts::Rollout& one : all.rollouts) rows.push_back(row_of(one, clock_.wall_ns()));
  ordered_json faults = ordered_json::array();
  for (const auto& [key, error] : all.faults) faults.push_back({{"key", key}, {"error", error.message()}});
  return json_reply(dump_json({{"rollouts", rows}, {"faults", faults}}));
}

Reply ConfigService::operate_rollout(const std::string& group, const std::string& body, const ChangedBy& by) {
  const auto request = config::parse_foreign<nlohmann::json>(body);
  const std::string action = request.is_object() && request.contains("action") && request["action"].is_string()
                                 ? request["action"].get<std::string>()
                                 : std::string();
  if (action != "pause" && action != "resume" && action != "abort") {
    return error_reply(Error(Code::kInvalidArgument, "body: action: expected pause, resume or abort"));
  }
  const nlohmann::json why = request.value("message", nlohmann::json(""));
  if (!why.is_string() || why.get_ref<const std::string&>().size() > rollouts::kMostMessageBytes) {
    return error_reply(Error(Code::kInvalidArgument, fmt::format("body: message: expected a text of at most {} bytes",
                                                                 rollouts::kMostMessageBytes)));
  }
  const auto opened = store();
  if (!opened) return error_reply(opened.error());
  const std::string key = config::rollout_key(group);
  std::optional<config::Stored> before;
  std::string written;
  const auto done =
      (*opened)->update(key, [&](const std::optional<config::Stored>& now) -> Result<std::optional<std::string>> {
        before = now;
        if (!now) return Error(Code::kNotFound, "group " + group + " has had no rollout");
        auto rollout = rollouts::parse_rollout(now->value);
        if (!rollout) return rollout.error();
        const Status good = operate(*rollout, action, by.who.text(), why.get<std::string>(), clock_.wall_ns());
        if (!good) return good.error();
        written = to_json(*rollout);
        return std::optional(written);
      });
  if (!done) {
    if (done.error().code() == Code::kNotFound) return error_reply(404, done.error().message());
    if (done.error().code() == Code::kFailedPrecondition) return error_reply(409, done.error().message());
    return error_reply(done.error());
  }
  record(key, before, config::Stored{written, *done}, *done, by);
  return rollouts();
}

}  // namespace monitor::analysis::web
