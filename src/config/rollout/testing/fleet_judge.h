// FleetJudge: judges simulated agents by what they do, as the shipped judgements do by data.
#pragma once

#include <vector>

#include "config/rollout/driver.h"
#include "config/rollout/testing/simulated_fleet.h"

namespace monitor::config::rollout {

// Judges by what agents do, as the shipped judgements do by data: a changed agent that eats CPU or sends nothing is
// bad.
class FleetJudge final : public Judge {
 public:
  explicit FleetJudge(const SimulatedFleet& fleet) : fleet_(fleet) {}
  std::vector<Verdict> judge(const Rollout& rollout, const Sight& sight, int64_t /*now_ns*/) override {
    Verdict verdict{.judgement = rollout.judges.front(), .outcome = Outcome::kGood};
    if (late) verdict.outcome = Outcome::kUndecided;
    for (const Member& member : sight.members) {
      const auto found = fleet_.agents.find(member.candidate.agent_id);
      if (!member.chosen || found == fleet_.agents.end()) continue;
      if (found->second.cpu > 0.5 || found->second.silent) {
        verdict.outcome = Outcome::kBad;
        verdict.why = found->first;
      }
    }
    return {verdict};
  }
  bool late = false;

 private:
  const SimulatedFleet& fleet_;
};

}  // namespace monitor::config::rollout
