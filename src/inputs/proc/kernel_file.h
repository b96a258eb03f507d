// A file of /proc or /sys that is kept open and read from its start every time.
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

  // All of it; the view lives until the next read. Opened at the first read, and again after a failure.
  // The kernel returns a seq_file in pieces of whole records, at most a page each, however large the buffer is: only a
  // read of 0 bytes is the end. Each piece continues where the last one ended, which a seq_file keeps exactly as long
  // as it is read in sequence.
  Result<std::string_view> read();

  // As read(), for a table whose lines come and go (interfaces, disks, mounts). The kernel locks such a table for one
  // piece at a time, so a line may be missing or doubled when the table changes between two pieces. `shape_of` reduces
  // a text to what only such a change alters. A reading in several pieces whose shape is new is repeated until two
  // successive ones agree; after kMaxAttempts the last one stands.
  using Shape = uint64_t (*)(std::string_view text);
  Result<std::string_view> read_table(Shape shape_of);

  // Of the text that read_table() returned last.
  uint64_t shape() const { return shape_.value_or(0); }

  const std::string& path() const { return path_; }
  // Of the last reading, without the empty one at its end.
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

// A cursor over the columns of a text: lines, and fields within a line. Never allocates.
class Fields {
 public:
  explicit Fields(std::string_view line) : rest_(line) {}
  // The next field between spaces or tabs; empty at the end.
  std::string_view next();
  // The next field as a number; nothing when there is none or it is none. A minus sign is not a number here.
  std::optional<uint64_t> number();
  void skip(int count) {
    while (count-- > 0) next();
  }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

// Takes the next line off `text`, without its end.
std::string_view next_line(std::string_view& text);

}  // namespace monitor::agent
