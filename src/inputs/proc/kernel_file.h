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
  // As pread(2); injected in tests.
  using Pread = std::function<ssize_t(int fd, char* into, size_t size, off_t offset)>;

  explicit KernelFile(std::string path, Pread pread = {}) : path_(std::move(path)), pread_(std::move(pread)) {}

  // Returns the whole content; the view is valid until the next read. Opens the file at the first read and after a
  // failure. The kernel returns a seq_file in pieces of whole records of at most a page, however large the buffer is.
  // Only a read of 0 bytes marks the end. Sequential reads continue exactly where the last piece ended.
  Result<std::string_view> read();

  // As read(), for a table whose lines come and go (interfaces, disks, mounts). The kernel locks the table for one
  // piece at a time, so a line can be missing or doubled if the table changes between two pieces. `shape_of` must
  // return a value that changes exactly with the set of lines. A reading in several pieces with a new shape is repeated
  // until two successive readings agree, at most kMaxAttempts times; then the last one counts.
  using Shape = uint64_t (*)(std::string_view text);
  Result<std::string_view> read_table(Shape shape_of);

  // The shape of the text that read_table() returned last.
  uint64_t shape() const { return shape_.value_or(0); }

  const std::string& path() const { return path_; }
  // Number of pieces of the last reading, without the empty one at its end.
  size_t pieces() const { return pieces_; }

 private:
  static constexpr size_t kPage = 4096;
  static constexpr size_t kMaxBytes = size_t{64} * 1024 * 1024;  // 400,000 mounts, 100,000 processors
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
  // The next field between spaces or tabs; empty at the end.
  std::string_view next();
  // The next field as a non-negative number. Nothing: the line ended, or the field is not a number.
  std::optional<uint64_t> number();
  void skip(int count) {
    while (count-- > 0) next();
  }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

// Removes the next line from `text` and returns it without its line end.
std::string_view next_line(std::string_view& text);

}  // namespace monitor::agent
