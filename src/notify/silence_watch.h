// SilenceWatch: detects silences that others have set in the store, and logs who has set them.
//
// One thread at a time. The store must outlive it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "notify/store.h"

namespace monitor::notify {

class SilenceWatch {
 public:
  explicit SilenceWatch(AlertStore& store) : store_(store) {}

  // Once, before look(): changes from now on are logged. Errors: those of the store.
  Status begin();

  // Returns all silences at the first call and whenever they may have changed. nullopt: they have not changed, or
  // cannot be read, which is logged.
  std::optional<std::vector<Silence>> look();

 private:
  void log_changes();

  AlertStore& store_;
  int64_t version_ = -1;
  int64_t change_ = 0;  // the number of the newest change that was logged, or that is older than begin()
};

}  // namespace monitor::notify
