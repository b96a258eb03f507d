#include "inputs/proc/sysfs.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/disk.h"

namespace monitor::agent {

bool is_folder(const std::string& path) {
  struct stat info{};
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

std::vector<std::string> folder_entries(const std::string& path) {
  std::vector<std::string> names;
  DIR* const folder = opendir(path.c_str());
  if (folder == nullptr) return names;
  while (const dirent* const entry = readdir(folder)) {  // NOLINT(concurrency-mt-unsafe): a stream of our own
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  closedir(folder);
  return names;
}

std::string link_target(const std::string& path) {
  std::array<char, 4096> target{};
  const ssize_t size = readlink(path.c_str(), target.data(), target.size());
  return size <= 0 ? "" : std::string(target.data(), static_cast<size_t>(size));
}

std::string first_line(const std::string& path) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 256> text{};
  const ssize_t size = fd.valid() ? read(fd.get(), text.data(), text.size()) : 0;
  const std::string_view all(text.data(), size > 0 ? static_cast<size_t>(size) : 0);
  return std::string(all.substr(0, all.find('\n')));
}

bool is_numbered(std::string_view name, std::string_view prefix) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return name.starts_with(prefix) && name.size() > prefix.size() &&
         std::ranges::all_of(name.substr(prefix.size()), is_digit);
}

bool Freshness::stale(uint64_t shape, size_t devices, int64_t mono_ns) {
  const bool changed = shape_ != shape;
  const int64_t age = mono_ns - read_at_;
  ++readings_;
  const bool old =
      age >= kLongest || (age >= static_cast<int64_t>(devices) * kNanosPerDevice && readings_ >= kReadings);
  if (!changed && !again_ && !old) return false;
  shape_ = shape;
  again_ = changed;
  read_at_ = mono_ns;
  readings_ = 0;
  return true;
}

}  // namespace monitor::agent
