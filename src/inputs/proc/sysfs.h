// Reads sysfs for the topologies of block devices and network interfaces, and decides when to read it again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace monitor::agent {

bool is_folder(const std::string& path);
// Names in a folder, without "." and "..". Empty if the folder does not exist.
std::vector<std::string> folder_entries(const std::string& path);
// The target of a symbolic link; empty if the path is not a link.
std::string link_target(const std::string& path);
// The first line of a small file, without its newline; empty if the file is unreadable.
std::string first_line(const std::string& path);

// Decides when sysfs must be read again. That is when devices come or go, at the reading after that (links appear
// shortly after their device), and otherwise at intervals of kNanosPerDevice times the number of devices. A read takes
// about 10 us per device. So a host with few devices notices a new link soon, and a host with many spends only 0.02 %
// of a processor.
class Freshness {
 public:
  // `shape` must change with the set of devices.
  bool stale(uint64_t shape, size_t devices, int64_t mono_ns);

 private:
  static constexpr int64_t kNanosPerDevice = 50'000'000;

  std::optional<uint64_t> shape_;
  bool again_ = false;
  int64_t read_at_ = 0;
};

}  // namespace monitor::agent
