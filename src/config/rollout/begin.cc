#include "config/rollout/begin.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/counted.h"
#include "base/text.h"
#include "base/time_format.h"
#include "config/keys.h"
#include "config/rollout/abort_rule.h"
#include "config/rollout/machine.h"
#include "config/rollout/patch.h"

namespace monitor::config::rollout {

namespace {

Error refused(Code code, std::string text) { return Error(code, std::move(text)); }

std::string whose(const Rollout& rollout) {
  return fmt::format("rollout {} of group {} was begun by {} at {}{}; it is {}", rollout.id, rollout.group,
                     rollout.author.empty() ? "someone unknown" : rollout.author, format_rfc3339(rollout.started_ns, 0),
                     rollout.message.empty() ? "" : " (" + rollout.message + ")", describe_state(rollout));
}

Status check_request(const Request& request) {
  if (!valid_name(request.group) || request.group.size() > kMaxGroupBytes) {
    return refused(Code::kInvalidArgument, fmt::format("got the group {}, expected 1 to {} of [A-Za-z0-9._-]",
                                                       json_quote(request.group.substr(0, 160)), kMaxGroupBytes));
  }
  if (request.document.size() > kMaxRolledBytes) {
    return refused(Code::kInvalidArgument, fmt::format("the document has {} bytes; a rollout takes at most {}",
                                                       request.document.size(), kMaxRolledBytes));
  }
  if (request.message.size() > kMostMessageBytes) {
    return refused(Code::kInvalidArgument,
                   fmt::format("the message has {} bytes, the limit is {}", request.message.size(), kMostMessageBytes));
  }
  if (request.judges.size() > kMostJudges) {
    return refused(Code::kInvalidArgument,
                   fmt::format("{} judgements, the limit is {}", request.judges.size(), kMostJudges));
  }
  if (Status good = check_abort_rule(request.abort_on); !good) return good.error().with_context("--abort-on");
  return {};
}

// The agents that two groups share.
std::vector<std::string> shared(const StoredKeys& keys, const std::string& a, const std::string& b,
                                const LookOptions& options) {
  const auto of_a = agents_of_group(keys, a, options);
  const auto of_b = agents_of_group(keys, b, options);
  std::vector<std::string> both;
  std::set_intersection(of_a.begin(), of_a.end(), of_b.begin(), of_b.end(), std::back_inserter(both));
  return both;
}

// The first running rollout that concerns agents of the group. `id`: of the own one, which does not count.
std::optional<Error> in_the_way(const StoredKeys& keys, const std::string& group, const std::string& id,
                                int64_t started_ns, const LookOptions& options) {
  for (const Rollout& other : rollouts_in(keys).rollouts) {
    if (is_over(other.state) || other.id == id) continue;
    // Of two that began at once, the later one gives way.
    if (started_ns != 0 && std::pair(other.started_ns, other.id) > std::pair(started_ns, id)) continue;
    if (other.group == group) return refused(Code::kAborted, whose(other));
    const auto both = shared(keys, group, other.group, options);
    if (both.empty()) continue;
    return refused(Code::kAborted,
                   fmt::format("{} (such as {}) of group {} are also of group {}: {}", counted(both.size(), "agent"),
                               both.front(), group, other.group, whose(other)));
  }
  return std::nullopt;
}

// What is known of earlier rollouts of the group goes on.
Status take_past(const std::optional<Rollout>& last, const Request& request, Rollout& next) {
  if (!last) return {};
  const auto failure = failure_of(*last, next.content);
  if (failure && !request.retry) {
    const std::string runs = next.base.empty() ? "no document of the group" : next.base.substr(0, 8);
    return refused(Code::kFailedPrecondition,
                   fmt::format("group {}: {}; --retry tries it again", request.group, describe_end(*failure, runs)));
  }
  next.retry = failure.has_value();
  next.past = last->past;
  next.past.insert(next.past.begin(), past_of(*last));
  if (next.past.size() > kMostPast) next.past.resize(kMostPast);
  return {};
}

Rollout first_state(const Request& request, const std::string& id, int64_t now_ns) {
  Rollout next;
  next.id = id;
  next.group = request.group;
  next.author = request.author;
  next.message = request.message;
  next.document = request.document;
  next.content = digest_of(request.document);
  next.steps = request.steps;
  next.salt = request.salt.empty() ? request.group : request.salt;
  next.spread_by = request.spread_by;
  next.wait_ns = request.wait_ns;
  next.patience_ns = request.patience_ns;
  next.apply_ns = request.apply_ns;
  next.lease_ns = request.lease_ns;
  next.abort_on = request.abort_on;
  next.judges = request.judges;
  next.data = request.data;
  next.started_ns = next.step_ns = now_ns;
  note(next, now_ns, "started",
       fmt::format("by {}{}", request.author, request.message.empty() ? "" : ": " + request.message));
  return next;
}

Status check_agents(const Rollout& next, const StoredKeys& keys, const LookOptions& options) {
  LookCache cache;
  const Sight sight = look(next, keys, options, cache);
  if (sight.counts.members == 0) {
    return refused(
        Code::kInvalidArgument,
        fmt::format("group {} has no agents that live{}; `monitor-config set --group {} --file FILE` stores a "
                    "document for those that join later",
                    next.group, sight.counts.away > 0 ? fmt::format(" ({} are away)", sight.counts.away) : "",
                    next.group));
  }
  if (next.spread_by.empty()) return {};
  std::vector<std::string> values;
  for (const Member& member : sight.members) values.push_back(member.candidate.value);
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  if (values.size() <= kMostClasses) return {};
  return refused(Code::kInvalidArgument, fmt::format("--spread-by: the label {} has {} values, the limit is {}",
                                                     json_quote(next.spread_by), values.size(), kMostClasses));
}

}  // namespace

AllRollouts rollouts_in(const StoredKeys& keys) {
  AllRollouts all;
  const std::string root(kRolloutsRoot);
  for (auto at = keys.lower_bound(root); at != keys.end() && at->first.starts_with(root); ++at) {
    auto rollout = parse_rollout(at->second.value);
    if (rollout && rollout_key(rollout->group) == at->first) {
      all.rollouts.push_back(std::move(*rollout));
    } else {
      all.faults.emplace(at->first,
                         rollout ? Error(Code::kInvalidArgument, "it is of another group") : rollout.error());
    }
  }
  return all;
}

Result<Rollout> begin(BatchStore& store, const Request& request, const std::string& id, const LookOptions& options) {
  if (Status good = check_request(request); !good) return good.error();
  const auto keys = read_keys(store.documents());
  if (!keys) return keys.error();
  const auto own = keys->find(rollout_key(request.group));
  std::optional<Stored> expected;
  std::optional<Rollout> last;
  if (own != keys->end()) {
    expected = own->second;
    auto parsed = parse_rollout(own->second.value);
    if (!parsed) return parsed.error().with_context(store.documents().describe(own->first));
    last = std::move(*parsed);
  }
  if (const auto other = in_the_way(*keys, request.group, id, 0, options)) return *other;
  Rollout next = first_state(request, id, options.wall_ns);
  if (const auto base = keys->find(group_key(request.group)); base != keys->end()) {
    next.base_revision = base->second.revision;
    next.base = digest_of(base->second.value);
  }
  if (next.base == next.content) {
    return refused(Code::kInvalidArgument, fmt::format("group {} has this document already", request.group));
  }
  if (Status past = take_past(last, request, next); !past) return past.error();
  if (Status agents = check_agents(next, *keys, options); !agents) return agents.error();
  const std::string text = to_json(next);
  const auto stored = store.swap({rollout_key(request.group), expected, text});
  if (!stored && stored.error().code() == Code::kAborted) {
    const auto now = store.documents().get(rollout_key(request.group));
    const auto other = now && *now ? parse_rollout((*now)->value) : Result<Rollout>(stored.error());
    return refused(Code::kAborted, other ? whose(*other) : stored.error().message());
  }
  if (!stored) return stored.error();
  // Another group's rollout may have begun at the same moment.
  const auto after = read_keys(store.documents());
  if (!after) return after.error();
  if (const auto other = in_the_way(*after, request.group, id, next.started_ns, options)) {
    const auto back = store.swap(
        {rollout_key(request.group), Stored{text, *stored}, expected ? std::optional(expected->value) : std::nullopt});
    if (!back && back.error().code() != Code::kAborted) return back.error();
    return *other;
  }
  return next;
}

}  // namespace monitor::config::rollout
