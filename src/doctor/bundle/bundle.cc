#include "doctor/bundle/bundle.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "base/disk.h"
#include "base/escape.h"
#include "base/size_format.h"
#include "base/time_format.h"

namespace monitor::doctor {

namespace {

constexpr size_t kMostDepth = 8;
constexpr size_t kMostName = 48;  // an archive takes 99 bytes, with the folder

std::string entry_name(std::string_view name) {
  std::string result;
  for (const char c : name.substr(0, kMostName)) {
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
                       c == '_' || c == '-' || c == '/';
    result += plain ? c : '_';
  }
  for (size_t at = result.find(".."); at != std::string::npos; at = result.find("..")) result.replace(at, 2, "__");
  return result;
}

std::string_view tail_of(std::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  text.remove_prefix(text.size() - max_bytes);
  const size_t line = text.find('\n');
  return line == std::string_view::npos ? text : text.substr(line + 1);
}

struct CloseFolder {
  void operator()(DIR* folder) const { closedir(folder); }
};

class Lister {
 public:
  explicit Lister(size_t max_lines) : left_(max_lines) {}

  void list(Fd folder, const std::string& name, size_t depth) {
    struct stat info{};
    if (fstat(folder.get(), &info) != 0) return;
    if (device_.value_or(info.st_dev) != info.st_dev || depth > kMostDepth) return;
    device_ = info.st_dev;
    const std::unique_ptr<DIR, CloseFolder> entries(fdopendir(folder.get()));
    if (!entries) return;
    const int fd = folder.release();  // the stream's now
    std::vector<std::string> names;
    while (const dirent* const entry = readdir(entries.get())) {  // NOLINT(concurrency-mt-unsafe): a stream of its own
      const std::string_view one = entry->d_name;
      if (one != "." && one != "..") names.emplace_back(one);
    }
    std::ranges::sort(names);
    for (const std::string& one : names) look(fd, one, name.empty() ? one : name + "/" + one, depth);
  }
  std::string take() { return std::move(text_); }

 private:
  void look(int folder, const std::string& name, const std::string& path, size_t depth) {
    struct stat info{};
    if (left_ == 0 || fstatat(folder, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) return;
    if (--left_ == 0) text_ += "... further files are not listed\n";
    text_ += fmt::format("{:06o} {:>6} {:>6} {:>12} {} {}\n", info.st_mode, info.st_uid, info.st_gid, info.st_size,
                         format_rfc3339(int64_t{info.st_mtim.tv_sec} * kNanosPerSecond, 0), printable(path));
    if (!S_ISDIR(info.st_mode)) return;
    Fd below(openat(folder, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (below.valid()) list(std::move(below), path, depth + 1);
  }

  size_t left_;
  std::optional<dev_t> device_;
  std::string text_;
};

}  // namespace

BundleBuilder::BundleBuilder(std::string folder, int64_t time_ns, Redactor redactor, BundleLimits limits)
    : folder_(std::move(folder)), redactor_(std::move(redactor)), limits_(limits), archive_(time_ns) {}

void BundleBuilder::add(std::string_view name, std::string_view content) {
  const std::string_view kept = tail_of(content, limits_.entry_bytes);
  if (entries_ >= limits_.entries || bytes_ + kept.size() > limits_.total_bytes) {
    return miss(name, "the bundle is full");
  }
  const std::string text = redactor_.clean(kept);
  const std::string path = entry_name(name);
  if (const Status added = archive_.add(folder_ + "/" + path, text); !added) return miss(name, added.error().message());
  ++entries_;
  bytes_ += text.size();
  contents_ +=
      fmt::format("{:>10}  {}{}\n", format_size(text.size()), path,
                  kept.size() < content.size() ? fmt::format(" (the end of {})", format_size(content.size())) : "");
}

void BundleBuilder::miss(std::string_view name, std::string_view reason) {
  contents_ += fmt::format("{:>10}  {}: {}\n", "-", entry_name(name), printable(redactor_.clean(reason)));
}

Result<Bundle> BundleBuilder::finish() {
  Bundle bundle;
  bundle.removed = redactor_.removed();
  bundle.contents = contents_;
  if (const Status added = archive_.add(folder_ + "/contents.txt", contents_); !added) return added.error();
  auto bytes = archive_.finish();
  if (!bytes) return bytes.error();
  bundle.bytes = std::move(*bytes);
  return bundle;
}

Result<std::string> read_tail(const std::string& folder, const std::string& name, size_t max_bytes) {
  const std::string path = folder + "/" + name;
  const Fd at(open(folder.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!at.valid()) return errno_error(errno, "opening " + folder);
  const Fd fd(openat(at.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat info{};
  if (!fd.valid() || fstat(fd.get(), &info) != 0) {
    if (errno == ELOOP) return Error(Code::kPermissionDenied, path + " is a link, which is not followed");
    return errno_error(errno, "opening " + path);
  }
  if (!S_ISREG(info.st_mode)) return Error(Code::kPermissionDenied, path + " is not a regular file");
  const auto size = static_cast<size_t>(std::max<off_t>(info.st_size, 0));
  const size_t begin = size > max_bytes ? size - max_bytes : 0;
  std::string text(size - begin, '\0');
  const ssize_t got = pread(fd.get(), text.data(), text.size(), static_cast<off_t>(begin));
  if (got < 0) return errno_error(errno, "reading " + path);
  text.resize(static_cast<size_t>(got));
  if (const size_t line = text.find('\n'); begin > 0 && line != std::string::npos) text.erase(0, line + 1);
  return text;
}

std::string list_files(const std::string& folder, size_t max_lines) {
  Lister lister(max_lines);
  Fd fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (fd.valid()) lister.list(std::move(fd), "", 0);
  return lister.take();
}

}  // namespace monitor::doctor
