#include "bin/config/rollout_view.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

#include "base/escape.h"
#include "base/time_format.h"
#include "bin/config/context.h"

namespace monitor {

namespace rollouts = config::rollout;
using nlohmann::ordered_json;
using rollouts::Rollout;

namespace {

constexpr size_t kShownEvents = 8;
constexpr size_t kShownAgents = 10;
constexpr size_t kShownPast = 3;
constexpr size_t kDigits = 8;
constexpr size_t kBar = 30;

std::string time_text(int64_t ns) { return ns == 0 ? "-" : format_rfc3339(ns, 0); }
std::string left(int64_t ns) { return format_duration(std::max<int64_t>(0, ns) / kNanosPerSecond * kNanosPerSecond); }

std::string value_text(const std::optional<double>& value) { return value ? fmt::format("{:.4g}", *value) : "-"; }

std::string bar(size_t part, size_t whole) {
  const size_t filled = whole == 0 ? 0 : part * kBar / whole;
  return std::string(filled, '#') + std::string(kBar - filled, '.');
}

std::string steps_text(const Rollout& rollout) {
  std::string text;
  for (size_t i = 0; i < rollout.steps.size(); ++i) {
    const bool passed =
        i < rollout.step || rollout.state == rollouts::State::kDone || rollout.state == rollouts::State::kFinishing;
    const char* const mark = passed ? "+" : i == rollout.step && !is_over(rollout.state) ? ">" : " ";
    text += fmt::format("{}[{}] {}{}", i == 0 ? "" : "  ", mark, i == 0 ? "canary " : "", to_string(rollout.steps[i]));
  }
  return text;
}

std::string verdicts_text(const Rollout& rollout) {
  if (rollout.verdicts.empty()) return "";
  std::string text = fmt::format("\n{:<30} {:<10} {:>10} {:>10} {:>10} {:>10}\n", "JUDGEMENT", "OUTCOME", "NOW",
                                 "BEFORE", "OTHERS", "BEFORE");
  for (const rollouts::Verdict& one : rollout.verdicts) {
    text += fmt::format("{:<30} {:<10} {:>10} {:>10} {:>10} {:>10}  {}\n", printable(one.judgement),
                        to_string(one.outcome), value_text(one.now), value_text(one.before), value_text(one.others_now),
                        value_text(one.others_before), printable(one.why));
  }
  return text;
}

std::string past_text(const Rollout& rollout) {
  std::string text;
  const std::string runs = rollout.state == rollouts::State::kDone ? rollout.content
                           : rollout.base.empty()                  ? "no document of the group"
                                                                   : rollout.base.substr(0, kDigits);
  if (rollout.state == rollouts::State::kFailed || rollout.state == rollouts::State::kAborted) {
    text += "\n" + printable(describe_end(past_of(rollout), runs)) + "\n";
  }
  for (size_t i = 0; i < std::min(rollout.past.size(), kShownPast); ++i) {
    text += fmt::format("{}earlier: {} by {}: {}\n", i == 0 && text.empty() ? "\n" : "", printable(rollout.past[i].id),
                        printable(rollout.past[i].author),
                        printable(describe_end(rollout.past[i], runs.substr(0, kDigits))));
  }
  return text;
}

ordered_json counts_json(const rollouts::Counts& counts) {
  return {{"members", counts.members}, {"changed", counts.changed},     {"applied", counts.applied},
          {"pending", counts.pending}, {"failed", counts.failed()},     {"refused", counts.refused},
          {"gone", counts.gone},       {"restarted", counts.restarted}, {"quarantined", counts.quarantined},
          {"away", counts.away}};
}

}  // namespace

std::string rollout_text(const rollouts::Passed& passed, int64_t now_ns) {
  const Rollout& rollout = *passed.rollout;
  const rollouts::Counts& counts = is_over(rollout.state) ? rollout.counts : passed.sight.counts;
  std::string text =
      fmt::format("group {}: rollout {} of {} by {} at {}{}\n", printable(rollout.group), printable(rollout.id),
                  rollout.content.substr(0, kDigits), printable(rollout.author), time_text(rollout.started_ns),
                  rollout.message.empty() ? "" : ": " + printable(rollout.message));
  text += printable(describe_state(rollout)) + "\n";
  text += steps_text(rollout) + "\n\n";
  text += fmt::format("{}  {} of {} agents changed: {} applied, {} pending, {} failed; {} away\n",
                      bar(counts.applied, counts.members), counts.changed, counts.members, counts.applied,
                      counts.pending, counts.failed(), counts.away);
  for (const rollouts::Trouble& one : is_over(rollout.state) ? rollout.troubles : passed.sight.troubles) {
    text += fmt::format("  {}: {}\n", printable(one.agent), printable(one.why));
  }
  if (!passed.sight.elsewhere.empty()) {
    text += fmt::format("  {} agents are changed by the rollout of another group, such as {}\n",
                        passed.sight.elsewhere.size(), printable(passed.sight.elsewhere.front()));
  }
  text += verdicts_text(rollout);
  text += "\n";
  const size_t first = rollout.events.size() > kShownEvents ? rollout.events.size() - kShownEvents : 0;
  for (size_t i = first; i < rollout.events.size(); ++i) text += event_text(rollout.events[i]);
  if (!is_over(rollout.state)) {
    const bool driven = now_ns < rollout.driver_until_ns;
    text += driven ? fmt::format("\n{} drives it", printable(rollout.driver)) : std::string("\nnobody drives it");
    if (rollout.lease_until_ns != 0) {
      text += fmt::format("; its changes end by themselves in {} unless it is continued",
                          left(rollout.lease_until_ns - now_ns));
    }
    text += "\n";
  }
  return text + past_text(rollout);
}

std::string rollout_json(const rollouts::Passed& passed) {
  auto object = ordered_json::parse(rollouts::to_json(*passed.rollout), nullptr, false);
  object["driven_here"] = passed.drives;
  object["failed"] = passed.rollout->counts.failed();
  ordered_json agents = ordered_json::array();
  for (const rollouts::Member& member : passed.sight.members) {
    if (!failed(member.way) && member.way != rollouts::Way::kPending) continue;
    if (agents.size() >= kShownAgents * kShownAgents) break;
    agents.push_back({{"agent", member.candidate.agent_id}, {"way", to_string(member.way)}, {"why", member.why}});
  }
  object["agents"] = std::move(agents);
  return json_line(object) + "\n";
}

std::string event_text(const rollouts::Event& event) {
  return fmt::format("{}  {:<10} {}\n", time_text(event.time_ns), event.what, printable(event.text));
}

std::string event_json(const Rollout& rollout, const rollouts::Event& event) {
  return json_line({{"time", format_rfc3339(event.time_ns, 3)},
                    {"event", event.what},
                    {"text", event.text},
                    {"group", rollout.group},
                    {"rollout", rollout.id},
                    {"state", to_string(rollout.state)},
                    {"step", rollout.step + 1},
                    {"steps", rollout.steps.size()},
                    {"counts", counts_json(rollout.counts)}}) +
         "\n";
}

std::string progress_json(const Rollout& rollout, int64_t now_ns) {
  return event_json(rollout, {now_ns, "progress", describe_state(rollout)});
}

std::string list_text(const Rollout& rollout) {
  std::string text =
      fmt::format("{:<20} {:<24} {}  {:<16} {}\n", printable(rollout.group), printable(rollout.id),
                  time_text(rollout.started_ns), printable(rollout.author), printable(describe_state(rollout)));
  for (const rollouts::Past& past : rollout.past) {
    text += fmt::format("{:<20} {:<24} {}  {:<16} {}{}\n", "", printable(past.id), time_text(past.started_ns),
                        printable(past.author), to_string(past.state),
                        past.reason.empty() ? "" : ": " + printable(past.reason));
  }
  return text;
}

std::string list_json(const Rollout& rollout) {
  ordered_json past = ordered_json::array();
  for (const rollouts::Past& one : rollout.past) {
    past.push_back({{"id", one.id},
                    {"state", to_string(one.state)},
                    {"content", one.content},
                    {"author", one.author},
                    {"message", one.message},
                    {"reason", one.reason},
                    {"started", time_text(one.started_ns)},
                    {"ended", time_text(one.ended_ns)}});
  }
  return json_line({{"group", rollout.group},
                    {"rollout", rollout.id},
                    {"state", to_string(rollout.state)},
                    {"summary", describe_state(rollout)},
                    {"content", rollout.content},
                    {"author", rollout.author},
                    {"message", rollout.message},
                    {"reason", rollout.reason},
                    {"started", time_text(rollout.started_ns)},
                    {"ended", time_text(rollout.ended_ns)},
                    {"counts", counts_json(rollout.counts)},
                    {"past", past}}) +
         "\n";
}

}  // namespace monitor
