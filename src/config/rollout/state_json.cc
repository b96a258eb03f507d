// Rollout as JSON.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <limits>

#include "base/text.h"
#include "base/time_format.h"
#include "config/foreign_json.h"
#include "config/rollout/json_fields.h"
#include "config/rollout/state.h"

namespace monitor::config::rollout {

using nlohmann::json;
using nlohmann::ordered_json;

namespace {

constexpr int kFormat = 1;
constexpr size_t kMostNameBytes = 300;
constexpr size_t kMostReasonBytes = 2000;
constexpr int64_t kMostNs = int64_t{366} * 24 * 3600 * kNanosPerSecond;
constexpr int64_t kMostCount = 10'000'000;
constexpr std::array kStates = {State::kRunning, State::kPaused, State::kUndoing, State::kFinishing,
                                State::kDone,    State::kFailed, State::kAborted};
constexpr std::array kOutcomes = {Outcome::kGood, Outcome::kBad, Outcome::kUndecided};

ordered_json time_json(int64_t ns) { return ns == 0 ? ordered_json() : ordered_json(format_rfc3339(ns, 3)); }

template <typename Value>
ordered_json optional_json(const std::optional<Value>& value) {
  return value ? ordered_json(*value) : ordered_json();
}

ordered_json json_of(const Counts& counts) {
  return {{"members", counts.members},     {"changed", counts.changed},         {"applied", counts.applied},
          {"pending", counts.pending},     {"refused", counts.refused},         {"gone", counts.gone},
          {"restarted", counts.restarted}, {"quarantined", counts.quarantined}, {"away", counts.away}};
}

ordered_json json_of(const Verdict& verdict) {
  return {{"judgement", verdict.judgement},
          {"outcome", to_string(verdict.outcome)},
          {"why", verdict.why},
          {"now", optional_json(verdict.now)},
          {"before", optional_json(verdict.before)},
          {"others_now", optional_json(verdict.others_now)},
          {"others_before", optional_json(verdict.others_before)}};
}

ordered_json json_of(const Past& past) {
  return {{"id", past.id},
          {"state", to_string(past.state)},
          {"content", past.content},
          {"author", past.author},
          {"message", past.message},
          {"reason", past.reason},
          {"started", time_json(past.started_ns)},
          {"ended", time_json(past.ended_ns)}};
}

void put_plan(ordered_json& object, const Rollout& rollout) {
  ordered_json steps = ordered_json::array();
  for (const Amount& step : rollout.steps) steps.push_back(to_string(step));
  object["steps"] = std::move(steps);
  object["salt"] = rollout.salt;
  object["spread_by"] = rollout.spread_by;
  object["wait"] = format_duration(rollout.wait_ns);
  object["patience"] = format_duration(rollout.patience_ns);
  object["apply"] = format_duration(rollout.apply_ns);
  object["keep"] = format_duration(rollout.lease_ns);
  object["abort_on"] = rollout.abort_on;
  object["judges"] = rollout.judges;
  object["data"] = rollout.data;
  object["retry"] = rollout.retry;
}

void put_progress(ordered_json& object, const Rollout& rollout) {
  object["state"] = to_string(rollout.state);
  object["ending"] = to_string(rollout.ending);
  object["reason"] = rollout.reason;
  object["step"] = rollout.step;
  object["chosen"] = rollout.chosen;
  ordered_json thresholds = ordered_json::object();
  for (const auto& [value, place] : rollout.thresholds) thresholds[value] = fmt::format("{:016x}", place);
  object["thresholds"] = std::move(thresholds);
  object["started"] = time_json(rollout.started_ns);
  object["step_began"] = time_json(rollout.step_ns);
  object["applied"] = time_json(rollout.applied_ns);
  object["ended"] = time_json(rollout.ended_ns);
  object["lease"] = rollout.lease;
  object["lease_until"] = time_json(rollout.lease_until_ns);
  object["driver"] = rollout.driver;
  object["driver_until"] = time_json(rollout.driver_until_ns);
}

// --- Parsing.

template <typename Enum, size_t size>
Enum enum_of(Fields& fields, const char* name, const std::array<Enum, size>& all) {
  const std::string got = fields.needed(name, kMostNameBytes);
  std::string known;
  for (const Enum one : all) {
    if (to_string(one) == got) return one;
    known += (known.empty() ? "" : ", ") + std::string(to_string(one));
  }
  fields.wrong(name, "one of " + known);
  return all[0];
}

int64_t duration_of(Fields& fields, const char* name) {
  const std::string text = fields.needed(name, kMostNameBytes);
  const auto ns = parse_duration(text);
  if (ns && *ns <= kMostNs) return *ns;
  fields.wrong(name, "a duration as 2m, at most a year");
  return 0;
}

size_t count_of(Fields& fields, const char* name) { return static_cast<size_t>(fields.whole(name, 0, kMostCount)); }

Counts counts_of(const json& object, Fault& fault) {
  Fields fields(object, "/counts", fault);
  Counts counts;
  counts.members = count_of(fields, "members");
  counts.changed = count_of(fields, "changed");
  counts.applied = count_of(fields, "applied");
  counts.pending = count_of(fields, "pending");
  counts.refused = count_of(fields, "refused");
  counts.gone = count_of(fields, "gone");
  counts.restarted = count_of(fields, "restarted");
  counts.quarantined = count_of(fields, "quarantined");
  counts.away = count_of(fields, "away");
  fields.done();
  return counts;
}

Verdict verdict_of(const json& object, const std::string& path, Fault& fault) {
  Fields fields(object, path, fault);
  Verdict verdict;
  verdict.judgement = fields.needed("judgement", kMostJudgeBytes);
  verdict.outcome = enum_of(fields, "outcome", kOutcomes);
  verdict.why = fields.text("why", kMostReasonBytes);
  verdict.now = fields.number("now");
  verdict.before = fields.number("before");
  verdict.others_now = fields.number("others_now");
  verdict.others_before = fields.number("others_before");
  fields.done();
  return verdict;
}

Past past_entry(const json& object, const std::string& path, Fault& fault) {
  Fields fields(object, path, fault);
  Past past;
  past.id = fields.needed("id", kMostNameBytes);
  past.state = enum_of(fields, "state", kStates);
  past.content = fields.text("content", kMostNameBytes);
  past.author = fields.text("author", kMostMessageBytes);
  past.message = fields.text("message", kMostMessageBytes);
  past.reason = fields.text("reason", kMostReasonBytes);
  past.started_ns = fields.time("started");
  past.ended_ns = fields.time("ended");
  fields.done();
  return past;
}

// Calls `take` for each member of a list, with its path.
template <typename Take>
void each(Fields& fields, const char* name, size_t most, const Take& take) {
  const json* const list = fields.list(name, most);
  if (list == nullptr) return;
  for (size_t i = 0; i < list->size() && !fields.fault().error; ++i) {
    take((*list)[i], fields.path(name) + "/" + std::to_string(i));
  }
}

void read_plan(Fields& fields, Rollout& rollout) {
  each(fields, "steps", kMostSteps, [&](const json& one, const std::string&) {
    const auto amount = one.is_string() ? parse_amount(one.get_ref<const std::string&>())
                                        : Result<Amount>(Error(Code::kInvalidArgument, "not a text"));
    if (amount) rollout.steps.push_back(*amount);
    if (!amount) fields.wrong("steps", "shares or numbers of agents, such as 5% or 20");
  });
  if (rollout.steps.empty() || !rollout.steps.back().all()) fields.wrong("steps", "steps that end with 100%");
  rollout.salt = fields.text("salt", kMostNameBytes);
  rollout.spread_by = fields.text("spread_by", kMostNameBytes);
  rollout.wait_ns = duration_of(fields, "wait");
  rollout.patience_ns = duration_of(fields, "patience");
  rollout.apply_ns = duration_of(fields, "apply");
  rollout.lease_ns = duration_of(fields, "keep");
  rollout.abort_on = fields.text("abort_on", kMostJudgeBytes);
  each(fields, "judges", kMostJudges, [&](const json& one, const std::string&) {
    const bool good = one.is_string() && one.get_ref<const std::string&>().size() <= kMostJudgeBytes;
    if (good) rollout.judges.push_back(one.get<std::string>());
    if (!good) fields.wrong("judges", fmt::format("texts of at most {} bytes", kMostJudgeBytes));
  });
  rollout.data = fields.text("data", kMostReasonBytes);
  rollout.retry = fields.flag("retry");
}

void read_thresholds(Fields& fields, Rollout& rollout) {
  const json* const thresholds = fields.object("thresholds", kMostClasses);
  if (thresholds == nullptr) return;
  constexpr size_t kDigits = 16;
  for (const auto& [value, place] : thresholds->items()) {
    uint64_t number = 0;
    bool good = place.is_string() && place.get_ref<const std::string&>().size() == kDigits;
    if (good) {
      for (const char c : place.get_ref<const std::string&>()) {
        const size_t digit = std::string_view("0123456789abcdef").find(c);
        good = good && digit != std::string_view::npos;
        number = number * 16 + (good ? digit : 0);
      }
    }
    if (!good) fields.wrong("thresholds", "texts of 16 hexadecimal digits");
    rollout.thresholds[value] = number;
  }
}

void read_progress(Fields& fields, Rollout& rollout) {
  rollout.state = enum_of(fields, "state", kStates);
  rollout.ending = enum_of(fields, "ending", kStates);
  if (rollout.ending != State::kFailed && rollout.ending != State::kAborted)
    fields.wrong("ending", "failed or aborted");
  rollout.reason = fields.text("reason", kMostReasonBytes);
  rollout.step =
      static_cast<size_t>(fields.whole("step", 0, static_cast<int64_t>(std::max<size_t>(rollout.steps.size(), 1)) - 1));
  rollout.chosen = fields.flag("chosen");
  read_thresholds(fields, rollout);
  rollout.started_ns = fields.time("started");
  rollout.step_ns = fields.time("step_began");
  rollout.applied_ns = fields.time("applied");
  rollout.ended_ns = fields.time("ended");
  rollout.lease = fields.whole("lease", std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max());
  rollout.lease_until_ns = fields.time("lease_until");
  rollout.driver = fields.text("driver", kMostNameBytes);
  rollout.driver_until_ns = fields.time("driver_until");
}

void read_report(Fields& fields, Rollout& rollout) {
  Fault& fault = fields.fault();
  if (const json* const counts = fields.object("counts", kMostNameBytes)) rollout.counts = counts_of(*counts, fault);
  each(fields, "troubles", kMostTroubles, [&](const json& one, const std::string& path) {
    Fields trouble(one, path, fault);
    rollout.troubles.push_back({trouble.text("agent", kMostNameBytes), trouble.text("why", kMostReasonBytes)});
    trouble.done();
  });
  each(fields, "verdicts", kMostJudges,
       [&](const json& one, const std::string& path) { rollout.verdicts.push_back(verdict_of(one, path, fault)); });
  each(fields, "events", kMostEvents, [&](const json& one, const std::string& path) {
    Fields event(one, path, fault);
    rollout.events.push_back(
        {event.time("time"), event.text("event", kMostNameBytes), event.text("text", 4 * kMostMessageBytes)});
    event.done();
  });
  each(fields, "past", kMostPast,
       [&](const json& one, const std::string& path) { rollout.past.push_back(past_entry(one, path, fault)); });
}

Rollout read(const json& object, Fault& fault) {
  Fields fields(object, "", fault);
  Rollout rollout;
  if (fields.whole("format", 0, std::numeric_limits<int32_t>::max()) != kFormat) {
    fields.wrong("format", fmt::format("{}; another version of monitor-config wrote it", kFormat));
  }
  rollout.id = fields.needed("id", kMostNameBytes);
  rollout.group = fields.needed("group", kMostNameBytes);
  if (!valid_name(rollout.group)) fields.wrong("group", "1 to 128 of [A-Za-z0-9._-]");
  rollout.author = fields.text("author", kMostMessageBytes);
  rollout.message = fields.text("message", kMostMessageBytes);
  rollout.document = fields.needed("document", kMaxRolledBytes);
  if (auto document = Document::parse(rollout.document); !document) {
    fields.wrong("document", "a document (" + document.error().message() + ")");
  }
  rollout.content = fields.needed("content", kMostNameBytes);
  rollout.base_revision = fields.whole("base_revision", 0, std::numeric_limits<int64_t>::max());
  rollout.base = fields.text("base", kMostNameBytes);
  read_plan(fields, rollout);
  read_progress(fields, rollout);
  read_report(fields, rollout);
  fields.done();
  return rollout;
}

}  // namespace

std::string digest_of(std::string_view document) {
  const json value = parse_foreign<json>(document);
  const std::string text =
      value.is_discarded() ? std::string(document) : value.dump(-1, ' ', false, json::error_handler_t::replace);
  uint64_t hash = 14695981039346656037U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return fmt::format("{:016x}", hash);
}

std::string to_json(const Rollout& rollout) {
  ordered_json object = {{"format", kFormat},          {"id", rollout.id},
                         {"group", rollout.group},     {"author", rollout.author},
                         {"message", rollout.message}, {"document", rollout.document},
                         {"content", rollout.content}, {"base_revision", rollout.base_revision},
                         {"base", rollout.base}};
  put_plan(object, rollout);
  put_progress(object, rollout);
  object["counts"] = json_of(rollout.counts);
  ordered_json troubles = ordered_json::array();
  for (const Trouble& one : rollout.troubles) troubles.push_back({{"agent", one.agent}, {"why", one.why}});
  object["troubles"] = std::move(troubles);
  ordered_json verdicts = ordered_json::array();
  for (const Verdict& one : rollout.verdicts) verdicts.push_back(json_of(one));
  object["verdicts"] = std::move(verdicts);
  ordered_json events = ordered_json::array();
  for (const Event& one : rollout.events) {
    events.push_back({{"time", time_json(one.time_ns)}, {"event", one.what}, {"text", one.text}});
  }
  object["events"] = std::move(events);
  ordered_json past = ordered_json::array();
  for (const Past& one : rollout.past) past.push_back(json_of(one));
  object["past"] = std::move(past);
  return object.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

Result<Rollout> parse_rollout(std::string_view text) {
  if (text.size() > kMostStateBytes) {
    return Error(Code::kResourceExhausted,
                 fmt::format("the state of a rollout: {} bytes, the limit is {}", text.size(), kMostStateBytes));
  }
  const json value = parse_foreign<json>(text);
  if (value.is_discarded()) return Error(Code::kInvalidArgument, "the state of a rollout is not JSON");
  Fault fault;
  Rollout rollout = read(value, fault);
  if (fault.error) return fault.error->with_context("the state of a rollout");
  return rollout;
}

}  // namespace monitor::config::rollout
