// The three standard descriptors of a program, and what it prints.
//
// A program may be started with descriptor 0, 1 or 2 closed (cron wrappers, `2>&-`). The next file that it opens would
// then take the number, and log lines or values would be written into a database or a lock file. Every main therefore
// calls open_standard_descriptors() first. Not thread-safe: main() uses these before it starts a thread.
#pragma once

#include <array>
#include <cerrno>
#include <streambuf>

#include "base/result.h"

namespace monitor {

// Opens /dev/null on whichever of 0, 1 and 2 is closed. A closed standard output is opened for reading only, so that a
// program whose job is to print still fails with EBADF instead of printing into nothing.
void open_standard_descriptors();

// Whether standard output can be written to at all.
bool standard_output_open();

// What a failed write to an output says: "writing the output: No space left on device".
Error output_error(int error_number);

// A stream buffer that writes to a descriptor and remembers why a write failed, which std::ofstream does not tell.
// Everything after the first failure is discarded.
class OutputBuffer final : public std::streambuf {
 public:
  explicit OutputBuffer(int fd) : fd_(fd) { setp(buffer_.data(), buffer_.data() + buffer_.size()); }

  // The errno of the first write that failed; 0 when all went well so far.
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
