#include "config/rollout/state.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "base/time_format.h"

namespace monitor::config::rollout {

std::string_view to_string(State state) {
  switch (state) {
    case State::kRunning:
      return "running";
    case State::kPaused:
      return "paused";
    case State::kUndoing:
      return "undoing";
    case State::kFinishing:
      return "finishing";
    case State::kDone:
      return "done";
    case State::kFailed:
      return "failed";
    case State::kAborted:
      return "aborted";
  }
  return "unknown";
}

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::kGood:
      return "good";
    case Outcome::kBad:
      return "bad";
    case Outcome::kUndecided:
      return "undecided";
  }
  return "unknown";
}

void note(Rollout& rollout, int64_t now_ns, std::string what, std::string text) {
  rollout.events.push_back(
      {now_ns, std::move(what), sanitize_utf8(std::string_view(text).substr(0, kMostMessageBytes))});
  if (rollout.events.size() > kMostEvents) {
    // The first event says who began it.
    rollout.events.erase(rollout.events.begin() + 1,
                         rollout.events.end() - static_cast<std::ptrdiff_t>(kMostEvents - 1));
  }
}

Past past_of(const Rollout& rollout) {
  return {rollout.id,      rollout.state,  rollout.content,    rollout.author,
          rollout.message, rollout.reason, rollout.started_ns, rollout.ended_ns};
}

std::optional<Past> failure_of(const Rollout& last, std::string_view content) {
  if (last.content == content && is_over(last.state)) {
    return last.state == State::kFailed ? std::optional(past_of(last)) : std::nullopt;
  }
  const auto found = std::find_if(last.past.begin(), last.past.end(), [&](const Past& one) {
    return one.content == content && one.state != State::kAborted;
  });
  // The newest word counts: a content that was rolled out after its failure has not failed.
  if (found == last.past.end() || found->state != State::kFailed) return std::nullopt;
  return *found;
}

std::string describe_end(const Past& past, std::string_view now_runs) {
  const std::string when = format_rfc3339(past.started_ns, 0);
  const std::string content = past.content.substr(0, 8);
  switch (past.state) {
    case State::kFailed:
      return fmt::format("{} was tried at {}, failed because {}, {} runs", content, when, past.reason, now_runs);
    case State::kAborted:
      return fmt::format("{} was tried at {}, was aborted: {}, {} runs", content, when, past.reason, now_runs);
    default:
      return fmt::format("{} was rolled out at {}", content, when);
  }
}

}  // namespace monitor::config::rollout
