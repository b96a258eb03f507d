// Evaluates the rules of a group, one after another: each sees what those before it have written.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "rules/evaluation.h"
#include "rules/result_store.h"

namespace monitor::rules {

// Writes the samples to the store, between its begin() and commit(), and changes the state. `context.source` must give
// what the store has. `timeout_ns`: of one rule; 0: none.
//
// A rule that fails keeps its state, has the error in it, and writes nothing; the others go on. Errors: only those of
// the store; the state must then be thrown away.
Status evaluate_group(const Group& group, EvaluationContext context, int64_t timeout_ns, const Clock& clock,
                      ResultStore& store, GroupState& state);

}  // namespace monitor::rules
