// SilenceWatch: detects silences that other processes have set in the store, and reports who has set them.
//
// One thread at a time. The store must outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "notify/store.h"

namespace monitor::notify {

class SilenceWatch {
 public:
  using OnChange = std::function<void(const SilenceChange& change)>;

  // `on_change` is called by look(), with the changes since begin().
  SilenceWatch(AlertStore& store, OnChange on_change) : store_(store), on_change_(std::move(on_change)) {}

  // Once, before look(): changes from now on are reported. Errors: those of the store.
  Status begin();

  // Returns all silences at the first call and whenever they may have changed. nullopt: they have not changed, or
  // cannot be read, which is logged.
  std::optional<std::vector<Silence>> look();

 private:
  void report_changes();

  AlertStore& store_;
  const OnChange on_change_;
  int64_t version_ = -1;
  int64_t change_ = 0;  // the number of the newest change that was reported, or that is older than begin()
};

}  // namespace monitor::notify
