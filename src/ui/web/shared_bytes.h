// SharedBytes: bounds the total bytes of all incomplete requests. When it is full, an address may still use its fair
// share (base/fair_share.h). Serving thread only.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>

#include "base/fair_share.h"

namespace monitor::analysis::web {

class SharedBytes {
 public:
  explicit SharedBytes(size_t most_bytes) : most_bytes_(most_bytes) {}

  // Returns false, and counts nothing, if there is no room.
  bool take(const std::string& address, size_t bytes) {
    const auto known = held_.find(address);
    const size_t held = known == held_.end() ? 0 : known->second;
    const size_t holders = held_.size() + (held == 0 ? 1 : 0);
    const size_t used = bytes_ + bytes;
    if (used > most_bytes_ && held + bytes > fair_share(most_bytes_, used, holders)) return false;
    if (bytes == 0) return true;
    held_[address] += bytes;
    bytes_ += bytes;
    return true;
  }
  void give_back(const std::string& address, size_t bytes) {
    const auto known = held_.find(address);
    if (known == held_.end()) return;
    known->second -= bytes;
    bytes_ -= bytes;
    if (known->second == 0) held_.erase(known);
  }
  size_t bytes() const { return bytes_; }

 private:
  const size_t most_bytes_;
  size_t bytes_ = 0;
  std::unordered_map<std::string, size_t> held_;  // by address; never 0
};

}  // namespace monitor::analysis::web
