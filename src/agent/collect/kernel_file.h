// A file of /proc or /sys that is kept open and read from its start every time: one system call a tick.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/disk.h"
#include "base/result.h"

namespace monitor::agent {

class KernelFile {
 public:
  explicit KernelFile(std::string path) : path_(std::move(path)) {}

  // All of it; the view lives until the next read. Opened at the first read, and again after a failure.
  Result<std::string_view> read();
  const std::string& path() const { return path_; }

 private:
  static constexpr size_t kMaxBytes = size_t{8} * 1024 * 1024;  // no table of the kernel that we read comes near

  std::string path_;
  Fd fd_;
  std::string buffer_;
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
