// What slow readers hold: the bytes of the answers that are being sent, bounded over all of them. A body that several
// are sent counts once. Small ones always pass, so that an error can be told. For the serving thread alone.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>

namespace monitor::analysis::web {

class HeldReplies {
 public:
  explicit HeldReplies(size_t most_bytes) : most_bytes_(most_bytes) {}

  // Counts a body until let_go() is called with it. False: there is no room.
  bool hold(const std::string& body) {
    if (const auto known = bodies_.find(&body); known != bodies_.end()) {
      ++known->second;
      return true;
    }
    if (bytes_ > 0 && bytes_ + body.size() > most_bytes_ && body.size() > kSmall) return false;
    bytes_ += body.size();
    bodies_.emplace(&body, 1);
    return true;
  }
  void let_go(const std::string& body) {
    const auto at = bodies_.find(&body);
    if (--at->second > 0) return;
    bytes_ -= body.size();
    bodies_.erase(at);
  }
  size_t bytes() const { return bytes_; }

 private:
  static constexpr size_t kSmall = size_t{64} * 1024;

  const size_t most_bytes_;
  size_t bytes_ = 0;
  std::unordered_map<const std::string*, size_t> bodies_;  // and to how many each is sent
};

}  // namespace monitor::analysis::web
