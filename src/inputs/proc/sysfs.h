// What the topologies of block devices and network interfaces ask sysfs, and when they ask again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace monitor::agent {

bool is_folder(const std::string& path);
// Names in a folder but "." and ".."; none when it is not there.
std::vector<std::string> folder_entries(const std::string& path);
// The target of a symbolic link; empty when it is none.
std::string link_target(const std::string& path);
// The first line of a small file without its end; empty when it cannot be read.
std::string first_line(const std::string& path);

// Facts of sysfs are read again when devices come or go, once more at the reading after that (links appear a moment
// after their device), and else after kNanosPerDevice for each device: reading them takes some 10 us a device, so that
// a link between existing devices is seen soon where there are few, and costs 0.02 % of a processor where there are
// many.
class Freshness {
 public:
  // `shape` differs whenever the set of devices does.
  bool stale(uint64_t shape, size_t devices, int64_t mono_ns);

 private:
  static constexpr int64_t kNanosPerDevice = 50'000'000;

  std::optional<uint64_t> shape_;
  bool again_ = false;
  int64_t read_at_ = 0;
};

}  // namespace monitor::agent
