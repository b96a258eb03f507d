// ResponseMemoryLimit: bounds the memory held by slow HTTP clients, that is, the bytes of all replies being sent. A
// body that is sent to several clients counts once. Small bodies are always accepted, so that errors can be reported.
// Serving thread only.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>

namespace monitor::analysis::web {

class ResponseMemoryLimit {
 public:
  explicit ResponseMemoryLimit(size_t max_bytes) : max_bytes_(max_bytes) {}

  // Counts a body until remove(). Returns false, and counts nothing, if there is no room.
  bool add(const std::string& body) {
    if (const auto known = bodies_.find(&body); known != bodies_.end()) {
      ++known->second;
      return true;
    }
    if (bytes_ > 0 && bytes_ + body.size() > max_bytes_ && body.size() > kSmall) return false;
    bytes_ += body.size();
    bodies_.emplace(&body, 1);
    return true;
  }
  // Call once for each add() that returned true.
  void remove(const std::string& body) {
    const auto at = bodies_.find(&body);
    if (--at->second > 0) return;
    bytes_ -= body.size();
    bodies_.erase(at);
  }
  size_t bytes() const { return bytes_; }

 private:
  static constexpr size_t kSmall = size_t{64} * 1024;

  const size_t max_bytes_;
  size_t bytes_ = 0;
  std::unordered_map<const std::string*, size_t> bodies_;  // and the number of clients that each is sent to
};

}  // namespace monitor::analysis::web
