#include "inputs/proc/kernel_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/text.h"

namespace monitor::agent {

Status KernelFile::open_file() {
  fd_ = Fd(open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd_.valid()) return errno_error(errno, "opening " + path_);
  return {};
}

Result<std::string_view> KernelFile::read() {
  const bool kept = fd_.valid();
  if (!kept) {
    if (auto s = open_file(); !s) return s.error();
  }
  auto text = read_open();
  if (text || !kept) return text;
  // The path may refer to another file than when it was opened, for example after a FUSE filesystem was restarted.
  if (auto s = open_file(); !s) return s.error();
  return read_open();
}

Result<std::string_view> KernelFile::read_open() {
  size_t size = 0;
  pieces_ = 0;
  while (true) {
    if (buffer_.size() - size < kPage) buffer_.resize(std::max(2 * buffer_.size(), kPage));
    char* const into = buffer_.data() + size;
    const size_t room = buffer_.size() - size;
    const auto at = static_cast<off_t>(size);
    const ssize_t n = pread_ ? pread_(fd_.get(), into, room, at) : pread(fd_.get(), into, room, at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int error = errno;
      fd_.reset();
      return errno_error(error, "reading " + path_);
    }
    if (n == 0) return std::string_view(buffer_).substr(0, size);
    size += static_cast<size_t>(n);
    ++pieces_;
    if (size > kMaxBytes) return Error(Code::kResourceExhausted, "reading " + path_ + ": over 64 MiB");
  }
}

Result<std::string_view> KernelFile::read_table(Shape shape_of) {
  for (int attempt = 1;; ++attempt) {
    const auto text = read();
    if (!text) return text;
    const uint64_t seen = shape_of(*text);
    const bool settled = pieces_ <= 1 || shape_ == seen || attempt == kMaxAttempts;
    shape_ = seen;
    if (settled) return text;
  }
}

std::string_view Fields::next() {
  size_t start = 0;
  while (start < rest_.size() && (rest_[start] == ' ' || rest_[start] == '\t')) ++start;
  size_t end = start;
  while (end < rest_.size() && rest_[end] != ' ' && rest_[end] != '\t') ++end;
  const std::string_view field = rest_.substr(start, end - start);
  rest_.remove_prefix(end);
  return field;
}

std::optional<uint64_t> Fields::number() { return parse_u64(next()); }

std::string_view next_line(std::string_view& text) {
  const size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

}  // namespace monitor::agent
