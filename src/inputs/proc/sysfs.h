// Reads sysfs for the topologies of block devices and network interfaces, and decides when to read it again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace monitor::agent {

bool is_folder(const std::string& path);
// Names in a folder, without "." and "..". Empty if the folder does not exist.
std::vector<std::string> folder_entries(const std::string& path);
// The target of a symbolic link; empty if the path is not a link.
std::string link_target(const std::string& path);
// The first line of a small file, without its newline; empty if the file is unreadable.
std::string first_line(const std::string& path);
// True for a name that is `prefix` followed by digits: mc0, sr1.
bool is_numbered(std::string_view name, std::string_view prefix);

// Decides when sysfs must be read again. That is when devices come or go, at the reading after that (links appear
// shortly after their device), and otherwise only for a new link between known devices: at the latest at the first
// reading after half a minute, and before that when kNanosPerDevice times the number of devices and six readings have
// passed. A read takes 10 to 20 us per device, which is more than all other work for it.
class Freshness {
 public:
  // `shape` must change with the set of devices.
  bool stale(uint64_t shape, size_t devices, int64_t mono_ns);

 private:
  static constexpr int64_t kNanosPerDevice = 500'000'000;
  static constexpr int64_t kLongest = 30'000'000'000;
  static constexpr int kReadings = 6;

  std::optional<uint64_t> shape_;
  bool again_ = false;
  int64_t read_at_ = 0;
  int readings_ = 0;  // since then
};

}  // namespace monitor::agent
