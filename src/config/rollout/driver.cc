#include "config/rollout/driver.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "config/keys.h"
#include "config/rollout/abort_rule.h"

namespace monitor::config::rollout {

namespace {

constexpr int64_t kCountsEveryNs = kNanosPerSecond;
constexpr int64_t kJudgeEveryNs = 2 * kNanosPerSecond;
// In etcd the lease ends an override. The time in the document is a second stop, for leases that etcd's restarts
// prolong.
constexpr int64_t kDay = int64_t{24} * 3600 * kNanosPerSecond;

bool is_active(State state) { return !is_over(state); }

bool differs_in_counts_only(Rollout before, const Rollout& next) {
  before.counts = next.counts;
  before.troubles = next.troubles;
  return before == next;
}

}  // namespace

Driver::Driver(BatchStore& store, const Clock& clock, std::string group, DriverOptions options)
    : store_(store), clock_(clock), group_(std::move(group)), options_(std::move(options)) {}

int64_t Driver::life_ns(const Rollout& rollout) const {
  return store_.has_leases() ? std::max(kDay, 2 * rollout.lease_ns) : rollout.lease_ns;
}

Result<std::optional<Driver::Held>> Driver::read() {
  auto keys = read_keys(store_.documents());
  if (!keys) return keys.error();
  keys_ = std::move(*keys);
  const auto found = keys_.find(rollout_key(group_));
  if (found == keys_.end()) return std::optional<Held>();
  auto rollout = parse_rollout(found->second.value);
  if (!rollout) return rollout.error().with_context(store_.documents().describe(found->first));
  return std::optional(Held{found->second, std::move(*rollout)});
}

Sight Driver::look_at(const Rollout& rollout) {
  return look(rollout, keys_, {clock_.wall_ns(), options_.fresh_ns, life_ns(rollout)}, cache_);
}

Result<Passed> Driver::see() {
  auto held = read();
  if (!held) return held.error();
  Passed passed;
  if (!*held) return passed;
  passed.sight = look_at((*held)->rollout);
  passed.rollout = std::move((*held)->rollout);
  return passed;
}

void Driver::release() {
  auto held = read();
  // Whoever comes next waits for kTurnNs if this fails.
  if (!held || !*held || (*held)->rollout.driver != options_.name) return;
  Rollout next = (*held)->rollout;
  next.driver.clear();
  next.driver_until_ns = 0;
  (void)store(**held, std::move(next)).ok();
}

Result<bool> Driver::store(Held& held, Rollout next) {
  std::string text = to_json(next);
  while (text.size() > kMostStateBytes && !next.past.empty()) {
    next.past.pop_back();
    text = to_json(next);
  }
  const auto done = store_.swap({rollout_key(group_), held.stored, text});
  if (!done && done.error().code() == Code::kAborted) return false;
  if (!done) return done.error();
  held = {{std::move(text), *done}, std::move(next)};
  keys_[rollout_key(group_)] = held.stored;
  stored_ns_ = clock_.wall_ns();
  return true;
}

Status Driver::renew_lease(Rollout& next) {
  const int64_t now = clock_.wall_ns();
  const bool lapsed = next.lease_until_ns != 0 && now > next.lease_until_ns;
  // What has lapsed is undone by the machine.
  if (lapsed || (next.state != State::kRunning && next.state != State::kPaused && next.state != State::kFinishing))
    return {};
  if (store_.has_leases()) {
    bool lives = next.lease != 0;
    if (lives) {
      const auto renewed = store_.renew(next.lease);
      if (!renewed) return renewed.error();
      lives = *renewed;
      // The lease has ended earlier than planned: the machine writes the overrides again, or undoes what is left.
    }
    if (!lives) {
      const auto granted = store_.grant(next.lease_ns);
      if (!granted) return granted.error();
      next.lease = *granted;
    }
  }
  next.lease_until_ns = now + next.lease_ns;
  renewed_ns_ = now;
  return {};
}

// Becomes, or stays, the program that drives. False: another one does.
Result<bool> Driver::claim(Held& held) {
  const int64_t now = clock_.wall_ns();
  const Rollout& rollout = held.rollout;
  const bool mine = rollout.driver == options_.name;
  if (!mine && now < rollout.driver_until_ns) return false;
  const bool renew = renewed_ns_ == 0 || now - renewed_ns_ >= rollout.lease_ns / 3 || !mine;
  if (mine && !renew && rollout.driver_until_ns - now > kTurnNs / 2) return true;
  Rollout next = rollout;
  if (renew) {
    if (Status renewed = renew_lease(next); !renewed) return renewed.error();
  }
  if (!mine && !rollout.driver.empty()) {
    note(next, now, "continued", fmt::format("{} continues it; {} is silent", options_.name, rollout.driver));
  }
  next.driver = options_.name;
  next.driver_until_ns = now + kTurnNs;
  return store(held, std::move(next));
}

Result<Passed> Driver::pass() {
  auto found = read();
  if (!found) return found.error();
  Passed passed;
  if (!*found) return passed;
  Held held = std::move(**found);
  if (!is_active(held.rollout.state)) {
    passed.sight = look_at(held.rollout);
    passed.rollout = std::move(held.rollout);
    return passed;
  }
  const auto claimed = claim(held);
  if (!claimed) return claimed.error();
  passed.drives = *claimed;
  passed.sight = look_at(held.rollout);
  if (*claimed) {
    const int64_t now = clock_.wall_ns();
    Seen seen = seen_of(held.rollout, passed.sight, now);
    Decision decision = decide(held.rollout, seen, now);
    if (decision.act == Act::kJudge && now - judged_ns_ >= kJudgeEveryNs) {
      seen.verdicts = judge_now(decision.next, passed.sight, now);
      judged_ns_ = now;
      decision = decide(decision.next, seen, now);
    }
    bool stored = true;
    if (worth_storing(held.rollout, decision.next, now)) {
      const auto done = store(held, std::move(decision.next));
      if (!done) return done.error();
      stored = *done;
    }
    passed.busy = !stored || decision.act != Act::kWait;
    if (stored && decision.act != Act::kWait && decision.act != Act::kJudge) {
      const auto acted = act(held, passed.sight, decision.act);
      if (!acted) return acted.error();
    }
    if (decision.act == Act::kJudge) passed.busy = false;
  }
  passed.rollout = std::move(held.rollout);
  return passed;
}

Seen Driver::seen_of(const Rollout& rollout, const Sight& sight, int64_t now_ns) {
  (void)now_ns;
  Seen seen{.counts = sight.counts, .troubles = sight.troubles, .document = sight.document};
  seen.to_write = sight.to_write.size();
  seen.to_remove = sight.to_remove.size();
  seen.document_revision = sight.group ? sight.group->revision : 0;
  const auto abort = holds(rollout.abort_on, sight.counts);
  seen.abort = rollout.chosen && (!abort || *abort);
  return seen;
}

std::vector<Verdict> Driver::judge_now(const Rollout& rollout, const Sight& sight, int64_t now_ns) {
  if (options_.judge != nullptr) return options_.judge->judge(rollout, sight, now_ns);
  std::vector<Verdict> verdicts;
  for (const std::string& name : rollout.judges) {
    verdicts.push_back({.judgement = name, .why = "the program that drives the rollout has no data to judge by"});
  }
  return verdicts;
}

bool Driver::worth_storing(const Rollout& before, const Rollout& next, int64_t now_ns) {
  if (before == next) return false;
  return !differs_in_counts_only(before, next) || now_ns - stored_ns_ >= kCountsEveryNs;
}

Result<bool> Driver::act(Held& held, const Sight& sight, Act what) {
  switch (what) {
    case Act::kChoose:
      return choose_agents(held, sight);
    case Act::kWrite:
      return write_batch(held, sight.to_write, held.rollout.lease);
    case Act::kRemove:
      return write_batch(held, sight.to_remove, 0);
    case Act::kCommit:
      return commit(held, sight);
    default:
      return true;
  }
}

Result<bool> Driver::choose_agents(Held& held, const Sight& sight) {
  Rollout next = held.rollout;
  next.thresholds = choose(next.salt, candidates_of(sight), next.steps[next.step], next.thresholds);
  while (next.thresholds.size() > kMostClasses) next.thresholds.erase(std::prev(next.thresholds.end()));
  next.chosen = true;
  next.step_ns = clock_.wall_ns();
  const size_t members = candidates_of(sight).size();
  note(next, next.step_ns, "step",
       fmt::format("{} begins: {} of {} agents", describe_step(next), next.steps[next.step].of(members), members));
  return store(held, std::move(next));
}

Result<bool> Driver::write_batch(const Held& held, const std::vector<BatchWrite>& writes, int64_t lease) {
  const auto written = store_.write_all(rollout_key(group_), held.stored, writes, lease);
  if (!written && written.error().code() == Code::kAborted) return false;
  // The lease has ended meanwhile; the next pass takes another one.
  if (!written && written.error().code() == Code::kNotFound && lease != 0) {
    renewed_ns_ = 0;
    return false;
  }
  if (!written) return written.error();
  return true;
}

// Not under the guard's revision, because the change is recorded in the document's history in the same transaction. If
// another program has begun to undo the rollout at this very moment, the machine sees that the document is stored.
Result<bool> Driver::commit(const Held& held, const Sight& sight) {
  const ChangeNote note{.author = held.rollout.author,
                        .kind = AuthorKind::kStated,
                        .message = held.rollout.message,
                        .command = "rollout",
                        .at_ns = clock_.wall_ns()};
  const auto same = [](const std::optional<Stored>& a, const std::optional<Stored>& b) {
    return a.has_value() == b.has_value() && (!a || (a->value == b->value && a->revision == b->revision));
  };
  const auto done = store_.documents().update_noted(
      group_key(group_), note, [&](const std::optional<Stored>& current) -> Result<std::optional<std::string>> {
        const auto guard = store_.documents().get(rollout_key(group_));
        if (!guard) return guard.error();
        if (same(*guard, held.stored) && same(current, sight.group)) return std::optional(held.rollout.document);
        return Error(Code::kAborted, group_key(group_) + " was changed meanwhile");
      });
  if (!done && done.error().code() == Code::kAborted) return false;
  if (!done) return done.error();
  return true;
}

}  // namespace monitor::config::rollout
