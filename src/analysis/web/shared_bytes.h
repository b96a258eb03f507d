// What clients make the server hold of requests that are not complete: bytes, bounded over all of them. When there is
// no room, an address may still hold its share, so that others cannot keep it out: an equal part among those that hold
// any, and a small one of what is left of as much again, so that twice the bound is never exceeded. For the serving
// thread alone.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <unordered_map>

namespace monitor::analysis::web {

class SharedBytes {
 public:
  explicit SharedBytes(size_t most_bytes) : most_bytes_(most_bytes) {}

  // False: there is no room, and nothing was taken.
  bool take(const std::string& address, size_t bytes) {
    const auto known = held_.find(address);
    const size_t held = known == held_.end() ? 0 : known->second;
    const size_t holders = held_.size() + (held == 0 ? 1 : 0);
    if (bytes_ + bytes > most_bytes_) {
      const size_t rest = 2 * most_bytes_ - std::min(2 * most_bytes_, bytes_ + bytes);
      if (held + bytes > std::min(most_bytes_ / holders, rest / kPartOfRest)) return false;
    }
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
  static constexpr size_t kPartOfRest = 8;

  const size_t most_bytes_;
  size_t bytes_ = 0;
  std::unordered_map<std::string, size_t> held_;  // by address, more than none
};

}  // namespace monitor::analysis::web
