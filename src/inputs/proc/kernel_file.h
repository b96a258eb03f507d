// KernelFile: a file of /proc or /sys that stays open and is read from its start each time.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/disk.h"
#include "base/result.h"

namespace monitor::agent {

class KernelFile {
 public:
  // Works like pread(2); tests inject another function.
  using Pread = std::function<ssize_t(int fd, char* into, size_t size, off_t offset)>;

  explicit KernelFile(std::string path, Pread pread = {}) : path_(std::move(path)), pread_(std::move(pread)) {}

  // Returns the whole content; the view is valid until the next read. Opens the file at the first read and after a
  // failure. However large the buffer is, the kernel returns a seq_file in pieces of whole records of at most a page.
  // Only a read of 0 bytes marks the end. Each read continues exactly where the previous piece ended.
  Result<std::string_view> read();

  // Like read(), for a table whose lines come and go (interfaces, disks, mounts). The kernel locks the table for one
  // piece at a time, so a line can be missing or doubled if the table changes between two pieces. `shape_of` must
  // return a value that changes exactly when the set of lines does. A reading in several pieces with a new shape is
  // repeated until two successive readings agree, at most kMaxAttempts times; then the last one counts.
  using Shape = uint64_t (*)(std::string_view text);
  Result<std::string_view> read_table(Shape shape_of);

  // The shape of the text that read_table() returned last.
  uint64_t shape() const { return shape_.value_or(0); }

  const std::string& path() const { return path_; }
  // Number of pieces of the last reading, not counting the empty one at its end.
  size_t pieces() const { return pieces_; }

 private:
  static constexpr size_t kPage = 4096;
  static constexpr size_t kMaxBytes = size_t{64} * 1024 * 1024;  // enough for 400,000 mounts or 100,000 processors
  static constexpr int kMaxAttempts = 5;

  Status open_file();
  Result<std::string_view> read_open();

  std::string path_;
  Pread pread_;
  Fd fd_;
  std::string buffer_;
  size_t pieces_ = 0;
  std::optional<uint64_t> shape_;  // of the last table
};

// Iterates over the fields of a line. Never allocates.
class Fields {
 public:
  explicit Fields(std::string_view line) : rest_(line) {}
  // The next field, delimited by spaces or tabs; empty at the end.
  std::string_view next();
  // The next field as a non-negative number. Nothing if the line has ended, or the field is not a number.
  std::optional<uint64_t> number();
  void skip(int count) {
    while (count-- > 0) next();
  }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

// Removes the next line from `text` and returns it without its newline.
std::string_view next_line(std::string_view& text);

}  // namespace monitor::agent
