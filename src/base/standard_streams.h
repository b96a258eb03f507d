// The standard descriptors of a program, and its output.
//
// A program may be started with descriptor 0, 1 or 2 closed (cron wrappers, `2>&-`). The next file that it opens would
// get that number, and log lines or values would be written into a database or a lock file. Every main function
// therefore calls open_standard_descriptors() first. Not thread-safe: call before starting a thread.
#pragma once

#include <array>
#include <cerrno>
#include <streambuf>

#include "base/result.h"

namespace monitor {

// Opens /dev/null for each of 0, 1 and 2 that is closed. A closed standard output is opened read-only, so that a
// program whose job is to print fails with EBADF instead of discarding its output.
void open_standard_descriptors();

// True if standard output is writable.
bool standard_output_open();

// The error of a failed write to an output: "writing the output: No space left on device".
Error output_error(int error_number);

// A stream buffer that writes to a descriptor and remembers why a write failed, which std::ofstream does not. It
// discards everything after the first failure.
class OutputBuffer final : public std::streambuf {
 public:
  explicit OutputBuffer(int fd) : fd_(fd) { setp(buffer_.data(), buffer_.data() + buffer_.size()); }

  // errno of the first failed write; 0 if none has failed.
  int error_number() const { return error_number_; }

 protected:
  int overflow(int c) override;
  int sync() override;

 private:
  bool write_out();

  int fd_;
  int error_number_ = 0;
  std::array<char, 8192> buffer_{};
};

}  // namespace monitor
