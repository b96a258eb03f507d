// Evaluates the rules of a group in order. Each rule sees the results of the rules before it.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "rules/evaluation.h"
#include "rules/result_store.h"

namespace monitor::rules {

// Writes the samples to the store, between its begin() and commit(), and changes the state. `context.source` must
// include the store's series. `timeout_ns`: of one rule; 0: none.
//
// A rule that fails writes nothing and keeps its alerts; its state has the error. The other rules continue. Errors:
// only those of the store; the caller must then discard the state.
Status evaluate_group(const Group& group, EvaluationContext context, int64_t timeout_ns, const Clock& clock,
                      ResultStore& store, GroupState& state);

}  // namespace monitor::rules
