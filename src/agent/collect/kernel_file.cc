#include "agent/collect/kernel_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.h"

namespace monitor::agent {

Result<std::string_view> KernelFile::read() {
  if (!fd_.valid()) {
    fd_ = Fd(open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd_.valid()) return errno_error(errno, "opening " + path_);
  }
  if (buffer_.size() < 4096) buffer_.resize(4096);
  size_t size = 0;
  while (true) {
    const ssize_t n = pread(fd_.get(), buffer_.data() + size, buffer_.size() - size, static_cast<off_t>(size));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int error = errno;
      fd_.reset();
      return errno_error(error, "reading " + path_);
    }
    size += static_cast<size_t>(n);
    // Short of the buffer is the end for files of the kernel that fit; what does not is read until nothing comes.
    if (n == 0 || size < buffer_.size() / 2) break;
    if (size == buffer_.size()) {
      if (buffer_.size() >= kMaxBytes) return Error(Code::kResourceExhausted, "reading " + path_ + ": over 8 MiB");
      buffer_.resize(buffer_.size() * 2);
    }
  }
  return std::string_view(buffer_).substr(0, size);
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
