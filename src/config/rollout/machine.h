// The state machine of a rollout: from the stored state, what is seen and the time, it says what the state is next and
// what is to be done. A pure function, so that it decides the same in whatever program asks it, and after whatever
// interruption.
//
//   running --(all steps good)--> finishing --> done
//   running, paused --(bad, aborted, undecided, lapsed)--> undoing --> failed or aborted
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/rollout/sight.h"
#include "config/rollout/state.h"

namespace monitor::config::rollout {

enum class Act {
  kWait,    // nothing is to be done now
  kChoose,  // choose the agents of this step
  kWrite,   // write the overrides that are missing
  kJudge,   // judge this step
  kCommit,  // make the document the group's own
  kRemove,  // remove the overrides
};

struct Seen {
  Counts counts;
  std::vector<Trouble> troubles;
  size_t to_write = 0;
  size_t to_remove = 0;
  GroupDocument document = GroupDocument::kBase;
  int64_t document_revision = 0;
  // The condition of --abort-on holds, or cannot be evaluated.
  bool abort = false;
  // The judgements of this step; nothing: not made yet.
  std::optional<std::vector<Verdict>> verdicts;
};

struct Decision {
  Rollout next;  // to be stored before `act` is done, if it differs
  Act act = Act::kWait;
};

Decision decide(const Rollout& rollout, const Seen& seen, int64_t now_ns);

// When this step is to be judged; 0: not all have applied it.
int64_t judged_at_ns(const Rollout& rollout);

// What operators may do. Errors: kFailedPrecondition says what it does instead.
Status pause(Rollout& rollout, const std::string& who, const std::string& why, int64_t now_ns);
Status resume(Rollout& rollout, const std::string& who, int64_t now_ns);
Status abort(Rollout& rollout, const std::string& who, const std::string& why, int64_t now_ns);

// "step 2 of 3 (25%)"
std::string describe_step(const Rollout& rollout);
// "running: step 2 of 3 (25%), observing until 12:00:00Z"
std::string describe_state(const Rollout& rollout);

}  // namespace monitor::config::rollout
