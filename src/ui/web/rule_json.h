// Rules, what is wrong with them, and their replays, as JSON. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "rules/replay.h"
#include "rules/rule_file.h"

namespace monitor::analysis::web {

// A list of {"line","column","text","warning"}.
std::string problems_json(const std::vector<rules::Fault>& faults, bool warnings);
// The groups of a file with their rules, as a form shows them: durations as texts, the labels of a rule without those
// of its group.
std::string rule_groups_json(const std::vector<rules::Group>& groups);

// The newest times in which alerts were active, at most `most` and about `most_bytes`, and how many others were left
// out.
struct ReplayJson {
  std::string alerts;
  size_t left_out = 0;
  size_t fired = 0;  // of all
};
ReplayJson replay_json(const rules::ReplayReport& report, size_t most, size_t most_bytes);
// A list of {"file","name","interval","step"}, in seconds.
std::string replayed_groups_json(const std::vector<rules::ReplayedGroup>& groups);

std::string texts_json(const std::vector<std::string>& texts);

}  // namespace monitor::analysis::web
