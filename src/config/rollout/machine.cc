#include "config/rollout/machine.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/counted.h"
#include "base/time_format.h"

namespace monitor::config::rollout {

namespace {

// Data arrives a little after its time; an operator need not know of that.
constexpr int64_t kUsuallyLate = 10 * kNanosPerSecond;
constexpr size_t kNamed = 3;  // agents that a reason names

std::string clock_time(int64_t ns) { return format_rfc3339(ns, 0); }

std::string named(const std::vector<Trouble>& troubles) {
  std::string text;
  for (size_t i = 0; i < std::min(troubles.size(), kNamed); ++i) {
    text += fmt::format("{}{}: {}", i == 0 ? "" : "; ", troubles[i].agent, troubles[i].why);
  }
  return text;
}

class Machine {
 public:
  Machine(const Rollout& rollout, const Seen& seen, int64_t now_ns) : next_(rollout), seen_(seen), now_ns_(now_ns) {}

  Decision decide() {
    next_.counts = seen_.counts;
    next_.troubles = seen_.troubles;
    const Act act = step();
    return {std::move(next_), act};
  }

 private:
  Act step() {
    switch (next_.state) {
      case State::kRunning:
      case State::kPaused:
        return go_on();
      case State::kFinishing:
        return finish();
      case State::kUndoing:
        return undo();
      default:
        return Act::kWait;
    }
  }

  Act begin_undoing(std::string reason) {
    next_.state = State::kUndoing;
    next_.ending = State::kFailed;
    next_.reason = std::move(reason);
    note(next_, now_ns_, "undoing", next_.reason);
    return undo();
  }

  Act undo() {
    if (seen_.to_remove > 0) return Act::kRemove;
    // Another program stored it at the moment in which the undoing began: everyone runs it.
    const bool stored = seen_.document == GroupDocument::kNew && next_.step + 1 == next_.steps.size();
    if (stored) {
      end(State::kDone, "the group has the document");
    } else {
      end(next_.ending, next_.reason);
    }
    return Act::kWait;
  }

  void end(State state, const std::string& text) {
    next_.state = state;
    next_.ended_ns = now_ns_;
    next_.driver.clear();
    next_.driver_until_ns = 0;
    next_.counts = seen_.counts;
    note(next_, now_ns_, std::string(to_string(state)), text);
  }

  // Why a running rollout is bad, without judging its data.
  std::string fault() const {
    if (next_.lease_until_ns != 0 && now_ns_ > next_.lease_until_ns) {
      return fmt::format("nobody continued it until {}, so that its changes ended by themselves",
                         clock_time(next_.lease_until_ns));
    }
    if (seen_.document != GroupDocument::kBase) {
      return fmt::format("the group's document was changed by someone else meanwhile{}",
                         seen_.document_revision > 0 ? fmt::format(" (revision {})", seen_.document_revision) : "");
    }
    if (!seen_.abort) return "";
    const Counts& counts = seen_.counts;
    return fmt::format("{} held in {}: {} of {} failed{}{}", next_.abort_on, describe_step(next_), counts.failed(),
                       counted(counts.changed, "changed agent"), seen_.troubles.empty() ? "" : "; ",
                       named(seen_.troubles));
  }

  Act go_on() {
    if (std::string reason = fault(); !reason.empty()) return begin_undoing(std::move(reason));
    if (next_.state == State::kPaused) return next_.chosen && seen_.to_write > 0 ? Act::kWrite : Act::kWait;
    if (!next_.chosen) return Act::kChoose;
    if (seen_.to_write > 0) return Act::kWrite;
    if (next_.applied_ns == 0) {
      if (seen_.counts.pending > 0) return await_agents();
      next_.applied_ns = now_ns_;
      note(next_, now_ns_, "applied",
           fmt::format("{}: applied by {}", describe_step(next_), counted(seen_.counts.applied, "agent")));
    }
    if (now_ns_ < next_.applied_ns + next_.wait_ns) return Act::kWait;
    if (seen_.counts.pending > 0) return await_late_agents();
    if (next_.judges.empty()) return pass();
    if (!seen_.verdicts) return Act::kJudge;
    return take_verdicts();
  }

  Act await_agents() {
    if (now_ns_ - next_.step_ns <= next_.apply_ns) return Act::kWait;
    return begin_undoing(fmt::format("{} had not applied it {} after {} began", counted(seen_.counts.pending, "agent"),
                                     format_duration(next_.apply_ns), describe_step(next_)));
  }

  // Agents that joined, or came back, while the others were observed.
  Act await_late_agents() {
    if (now_ns_ - next_.applied_ns - next_.wait_ns <= next_.apply_ns) return Act::kWait;
    return begin_undoing(fmt::format("{} had not applied it {} after {} was observed",
                                     counted(seen_.counts.pending, "agent"), format_duration(next_.apply_ns),
                                     describe_step(next_)));
  }

  Act take_verdicts() {
    next_.verdicts = *seen_.verdicts;
    std::string undecided;
    for (const Verdict& verdict : next_.verdicts) {
      if (verdict.outcome == Outcome::kBad) {
        note(next_, now_ns_, "judged",
             fmt::format("{}: {} is bad: {}", describe_step(next_), verdict.judgement, verdict.why));
        return begin_undoing(fmt::format("{} in {}: {}", verdict.judgement, describe_step(next_), verdict.why));
      }
      if (verdict.outcome == Outcome::kUndecided && undecided.empty()) {
        undecided = fmt::format("{}: {}", verdict.judgement, verdict.why);
      }
    }
    if (undecided.empty()) {
      note(next_, now_ns_, "judged", describe_step(next_) + ": good");
      return pass();
    }
    const bool news =
        next_.events.empty() || next_.events.back().what != "undecided" || next_.events.back().text != undecided;
    if (news && now_ns_ > judged_at_ns(next_) + kUsuallyLate) note(next_, now_ns_, "undecided", undecided);
    if (now_ns_ <= judged_at_ns(next_) + next_.patience_ns) return Act::kWait;
    return begin_undoing(fmt::format("{} was undecided for {}: {}", describe_step(next_),
                                     format_duration(next_.patience_ns), undecided));
  }

  Act pass() {
    if (next_.step + 1 >= next_.steps.size()) {
      next_.state = State::kFinishing;
      note(next_, now_ns_, "finishing", "all steps were good; the document becomes the group's own");
      return finish();
    }
    ++next_.step;
    next_.chosen = false;
    next_.applied_ns = 0;
    next_.step_ns = now_ns_;
    next_.verdicts.clear();
    return Act::kChoose;
  }

  Act finish() {
    if (seen_.document == GroupDocument::kOther) {
      return begin_undoing(
          fmt::format("the group's document was changed by someone else before the rollout could store its own{}",
                      seen_.document_revision > 0 ? fmt::format(" (revision {})", seen_.document_revision) : ""));
    }
    if (seen_.document == GroupDocument::kBase) {
      if (next_.lease_until_ns == 0 || now_ns_ <= next_.lease_until_ns) return Act::kCommit;
      return begin_undoing("nobody continued it in time before the document was stored, so that its changes ended");
    }
    if (seen_.to_remove > 0) return Act::kRemove;
    end(State::kDone, fmt::format("the group has the document; {} run it", counted(seen_.counts.members, "agent")));
    return Act::kWait;
  }

  Rollout next_;
  const Seen& seen_;
  const int64_t now_ns_;
};

Error wrong_state(const Rollout& rollout, const char* wanted) {
  return Error(Code::kFailedPrecondition, fmt::format("{}: the rollout {} is {}, so it cannot be {}", rollout.group,
                                                      rollout.id, to_string(rollout.state), wanted));
}

std::string by(const std::string& who, const std::string& why) {
  return fmt::format("by {}{}{}", who, why.empty() ? "" : ": ", why);
}

}  // namespace

Decision decide(const Rollout& rollout, const Seen& seen, int64_t now_ns) {
  return Machine(rollout, seen, now_ns).decide();
}

int64_t judged_at_ns(const Rollout& rollout) {
  return rollout.applied_ns == 0 ? 0 : rollout.applied_ns + rollout.wait_ns;
}

Status pause(Rollout& rollout, const std::string& who, const std::string& why, int64_t now_ns) {
  if (rollout.state != State::kRunning) return wrong_state(rollout, "paused");
  rollout.state = State::kPaused;
  rollout.reason = "paused " + by(who, why);
  note(rollout, now_ns, "paused", rollout.reason);
  return {};
}

Status resume(Rollout& rollout, const std::string& who, int64_t now_ns) {
  if (rollout.state != State::kPaused) return wrong_state(rollout, "resumed");
  rollout.state = State::kRunning;
  rollout.reason.clear();
  note(rollout, now_ns, "resumed", "resumed by " + who);
  return {};
}

Status abort(Rollout& rollout, const std::string& who, const std::string& why, int64_t now_ns) {
  if (rollout.state != State::kRunning && rollout.state != State::kPaused) return wrong_state(rollout, "aborted");
  rollout.state = State::kUndoing;
  rollout.ending = State::kAborted;
  rollout.reason = "aborted " + by(who, why);
  note(rollout, now_ns, "undoing", rollout.reason);
  return {};
}

std::string describe_step(const Rollout& rollout) {
  const std::string amount =
      rollout.step < rollout.steps.size() ? to_string(rollout.steps[rollout.step]) : std::string("?");
  return fmt::format("step {} of {} ({}{})", rollout.step + 1, rollout.steps.size(), rollout.step == 0 ? "canary " : "",
                     amount);
}

std::string describe_state(const Rollout& rollout) {
  std::string text(to_string(rollout.state));
  if (rollout.state == State::kRunning) {
    text += ": " + describe_step(rollout);
    if (!rollout.chosen) {
      text += ", about to begin";
    } else if (rollout.applied_ns == 0) {
      text += ", agents are applying it";
    } else {
      text += fmt::format(", observed until {}", clock_time(judged_at_ns(rollout)));
    }
  } else if (!rollout.reason.empty()) {
    text += ": " + rollout.reason;
  }
  return text;
}

}  // namespace monitor::config::rollout
