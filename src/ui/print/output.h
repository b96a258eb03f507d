// Where printed data goes. Not thread-safe.
#pragma once

#include <atomic>
#include <string>
#include <string_view>

#include "base/result.h"

namespace monitor::analysis {

class Output {
 public:
  virtual ~Output() = default;
  // All of it or an error. kCancelled: whoever read it is gone (a closed pipe), which is no failure.
  virtual Status write(std::string_view text) = 0;
};

// A file descriptor, which stays the caller's. SIGPIPE must be ignored. `stop`, when another thread sets it, ends a
// write that waits for a slow reader.
class FdOutput final : public Output {
 public:
  FdOutput(int fd, const std::atomic<bool>& stop) : fd_(fd), stop_(stop) {}
  Status write(std::string_view text) override;

 private:
  Status wait_for_room() const;

  int fd_;
  const std::atomic<bool>& stop_;
};

class StringOutput final : public Output {
 public:
  Status write(std::string_view text) override {
    text_ += text;
    return {};
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace monitor::analysis
