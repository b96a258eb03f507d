// Rollout: the stored state of a rollout of one group, as a struct and as JSON. Everything that a program needs to
// continue the rollout is in it, so that any terminal or service can do so after the first one has ended.
//
// There is one document for each group, under rollout_key(). It describes the rollout that runs, or the last one, and
// keeps how the ones before ended. Pure functions. Times are Unix nanoseconds; 0: not yet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "config/rollout/amount.h"

namespace monitor::config::rollout {

enum class State {
  kRunning,    // its steps go on
  kPaused,     // changed agents keep the new document; nothing goes on until `resume`
  kUndoing,    // agents get back what they had
  kFinishing,  // all agents run the new document, which becomes the group's own
  kDone,       // the group has the new document
  kFailed,     // it was judged bad, and undone
  kAborted,    // an operator ended it, and it was undone
};
std::string_view to_string(State state);
inline bool is_over(State state) {
  return state == State::kDone || state == State::kFailed || state == State::kAborted;
}

// The outcome of judging a step.
enum class Outcome { kGood, kBad, kUndecided };
std::string_view to_string(Outcome outcome);

// What one judgement found.
struct Verdict {
  std::string judgement;  // its name, or its expression
  Outcome outcome = Outcome::kUndecided;
  std::string why;  // for people
  // Averages over the changed agents now and before the rollout, and over the unchanged ones; absent: not known.
  std::optional<double> now;
  std::optional<double> before;
  std::optional<double> others_now;
  std::optional<double> others_before;

  bool operator==(const Verdict&) const = default;
};

// How many agents are how far, when a program last looked. The counts after `changed` are of the changed agents.
struct Counts {
  size_t members = 0;      // agents of the group that live
  size_t changed = 0;      // that are to run the new document now
  size_t applied = 0;      // and do
  size_t pending = 0;      // have not applied it yet
  size_t refused = 0;      // reject it
  size_t gone = 0;         // disappeared after they were changed
  size_t restarted = 0;    // began anew after they were changed
  size_t quarantined = 0;  // have a plugin in quarantine since they were changed
  size_t away = 0;         // agents of the group that do not live

  size_t failed() const { return refused + gone + restarted + quarantined; }
  bool operator==(const Counts&) const = default;
};

// An agent in trouble, and why.
struct Trouble {
  std::string agent;
  std::string why;

  bool operator==(const Trouble&) const = default;
};

// An event of the rollout, for people and for programs.
struct Event {
  int64_t time_ns = 0;
  std::string
      what;  // started, step, applied, judged, undecided, paused, resumed, undoing, finishing, done, failed, aborted
  std::string text;

  bool operator==(const Event&) const = default;
};

// How an earlier rollout of the group ended.
struct Past {
  std::string id;
  State state = State::kDone;
  std::string content;  // digest of the document
  std::string author;
  std::string message;
  std::string reason;  // why it failed or was aborted
  int64_t started_ns = 0;
  int64_t ended_ns = 0;

  bool operator==(const Past&) const = default;
};

struct Rollout {
  std::string id;
  std::string group;
  std::string author;
  std::string message;
  std::string document;  // the new document, as it was read
  std::string content;   // digest_of(document)
  // The group's document when the rollout began: its revision (0: absent, or a store without revisions) and its digest
  // (empty: absent).
  int64_t base_revision = 0;
  std::string base;

  std::vector<Amount> steps;  // the first one is the canary
  std::string salt;
  std::string spread_by;    // label; empty: none
  int64_t wait_ns = 0;      // for which each step is observed
  int64_t patience_ns = 0;  // for which an undecided judgement is awaited
  int64_t apply_ns = 0;     // for which agents may be pending
  int64_t lease_ns = 0;     // for which changed agents keep the document if nobody continues
  std::string abort_on;     // PromQL over the counts
  std::vector<std::string> judges;
  std::string data;    // where judgements read: http://..., or file:PATH; empty: nowhere
  bool retry = false;  // the same content had failed before

  State state = State::kRunning;
  State ending = State::kFailed;  // what kUndoing becomes
  std::string reason;             // why it is paused, undone, or has ended
  size_t step = 0;
  bool chosen = false;  // the agents of this step are chosen
  // By the label's value: agents whose hash is at most this are changed.
  std::map<std::string, uint64_t> thresholds;
  int64_t started_ns = 0;
  int64_t step_ns = 0;     // when the step began
  int64_t applied_ns = 0;  // when all its agents had applied the document
  int64_t ended_ns = 0;
  int64_t lease = 0;            // etcd's id; 0: none
  int64_t lease_until_ns = 0;   // the overrides end by themselves then
  std::string driver;           // the program that drives it
  int64_t driver_until_ns = 0;  // another one may take over afterwards

  Counts counts;
  std::vector<Trouble> troubles;  // the first ones
  std::vector<Verdict> verdicts;  // of this step
  std::vector<Event> events;      // the newest ones, oldest first
  std::vector<Past> past;         // newest first

  bool operator==(const Rollout&) const = default;
};

inline constexpr size_t kMaxRolledBytes = size_t{100} * 1024;  // of a document; the state must fit into one, too
inline constexpr size_t kMostEvents = 60;
inline constexpr size_t kMostPast = 40;
inline constexpr size_t kMostTroubles = 10;
inline constexpr size_t kMostTroubleBytes = 300;
inline constexpr size_t kMostSteps = 50;
inline constexpr size_t kMostClasses = 1000;  // values of --spread-by
inline constexpr size_t kMostJudges = 20;
inline constexpr size_t kMostMessageBytes = 1000;
inline constexpr size_t kMostJudgeBytes = 4096;
inline constexpr size_t kMostStateBytes = size_t{250} * 1024;

// Equal for documents with the same content, whatever their spaces and the order of their fields. 16 hexadecimal
// digits.
std::string digest_of(std::string_view document);

void note(Rollout& rollout, int64_t now_ns, std::string what, std::string text);

std::string to_json(const Rollout& rollout);
// The text may come from anyone who may write to the store. kInvalidArgument names the field, what was got and what was
// expected; kResourceExhausted: it is too large.
Result<Rollout> parse_rollout(std::string_view text);

// The last failure of this content in the group, if it has failed: in the running document's past, or itself.
std::optional<Past> failure_of(const Rollout& last, std::string_view content);
// How this rollout ended, for the next one's past.
Past past_of(const Rollout& rollout);
// "B was tried at T, failed because R, A runs", or another sentence about how it ended.
std::string describe_end(const Past& past, std::string_view now_runs);

}  // namespace monitor::config::rollout
