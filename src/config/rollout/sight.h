// Sight: what the stored keys say about a rollout now: which agents it concerns, which of them are changed and how far
// they are, and what is to be written. Pure, except for a cache.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/batch_store.h"
#include "config/fleet.h"
#include "config/rollout/selection.h"
#include "config/rollout/state.h"

namespace monitor::config::rollout {

// How far an agent is.
enum class Way {
  kUnchanged,    // it is not to be changed yet
  kPending,      // its override is missing, outdated or not applied yet
  kApplied,      // it runs the new document
  kRefused,      // it rejects the new document
  kGone,         // it disappeared after it was changed
  kRestarted,    // it began anew after it was changed
  kQuarantined,  // a plugin was quarantined after it was changed
  kAway,         // it does not live, and was not changed
};
std::string_view to_string(Way way);
inline bool failed(Way way) {
  return way == Way::kRefused || way == Way::kGone || way == Way::kRestarted || way == Way::kQuarantined;
}

struct Member {
  Candidate candidate;
  bool chosen = false;
  Way way = Way::kUnchanged;
  std::string why;  // of a failure
};

// What the group's document is now.
enum class GroupDocument { kBase, kNew, kOther };

struct Sight {
  Counts counts;
  std::vector<Trouble> troubles;
  std::vector<Member> members;        // by id
  std::vector<BatchWrite> to_write;   // overrides that are missing or outdated
  std::vector<BatchWrite> to_remove;  // all overrides of the rollout, the newest first
  GroupDocument document = GroupDocument::kBase;
  std::optional<Stored> group;         // the group's document
  std::vector<std::string> elsewhere;  // agents of the group that another rollout has changed
};

struct LookOptions {
  int64_t wall_ns = 0;
  std::optional<int64_t> fresh_ns = {};  // files: a status that is older counts as absent
  // How long a written override lasts. It is written again when less than half of that is left.
  int64_t life_ns = 0;
};

// Patches of agents with the same layers, and parsed labels, kept from one look to the next.
class LookCache {
 public:
  struct Entry {
    std::string patch;  // JSON with sorted keys
    std::map<std::string, std::string> labels;
    std::string problem;  // the layers cannot be read
  };
  Entry& of(const std::string& signature);
  bool knows(const std::string& signature) const { return entries_.contains(signature); }

 private:
  std::map<std::string, Entry> entries_;
};

// `keys`: everything that concerns agents (read_keys()).
Sight look(const Rollout& rollout, const StoredKeys& keys, const LookOptions& options, LookCache& cache);

// All members that live, for choosing.
std::vector<Candidate> candidates_of(const Sight& sight);

// Reads the keys that rollouts are about: documents, overrides, scripts, statuses, inventory and rollouts.
Result<StoredKeys> read_keys(ConfigStore& store);

// The agents of a group that are known at all, alive or not.
std::vector<std::string> agents_of_group(const StoredKeys& keys, const std::string& group, const LookOptions& options);

}  // namespace monitor::config::rollout
