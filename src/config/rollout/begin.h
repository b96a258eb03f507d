// Begins a rollout: checks that nothing stands against it, and stores its first state. Blocks; not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/batch_store.h"
#include "config/rollout/sight.h"
#include "config/rollout/state.h"

namespace monitor::config::rollout {

struct Request {
  std::string group;
  std::string document;  // valid as a layer
  std::string author;
  std::string message;
  std::vector<Amount> steps;
  std::string salt;  // empty: the group's name
  std::string spread_by;
  int64_t wait_ns = 0;
  int64_t patience_ns = 0;
  int64_t apply_ns = 0;
  int64_t lease_ns = 0;
  std::string abort_on;
  std::vector<std::string> judges;
  std::string data;
  bool retry = false;
};

// Returns the stored state. Errors: kAborted, another rollout of this group or of one that shares agents with it runs
// (the message says whose, since when and how far); kFailedPrecondition, the same content has failed in this group and
// `retry` is false; kInvalidArgument, the group has no agents that live, has the document already, or the request is
// not valid; errors of the store.
Result<Rollout> begin(BatchStore& store, const Request& request, const std::string& id, const LookOptions& options);

// The rollout of every group that ever had one. States that cannot be read are in `faults`, by key.
struct AllRollouts {
  std::vector<Rollout> rollouts;
  std::map<std::string, Error> faults;
};
AllRollouts rollouts_in(const StoredKeys& keys);

}  // namespace monitor::config::rollout
