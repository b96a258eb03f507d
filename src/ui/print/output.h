// Output: where a program prints its data. Not thread-safe.
#pragma once

#include <atomic>
#include <string>
#include <string_view>

#include "base/result.h"

namespace monitor::analysis {

class Output {
 public:
  virtual ~Output() = default;
  // Writes everything or returns an error. kCancelled: the reader has closed the pipe, which is not a failure.
  virtual Status write(std::string_view text) = 0;
};

// Writes to a file descriptor, which the caller keeps. SIGPIPE must be ignored. Setting `stop` from another thread ends
// a write that waits for a slow reader.
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
