// The minimal cost of collecting: reads open files from their start, and discards the content.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace monitor::bench {

class Sweep {
 public:
  // Exits if a file cannot be opened.
  explicit Sweep(const std::vector<std::string>& paths);
  Sweep(const Sweep&) = delete;
  Sweep& operator=(const Sweep&) = delete;

  void read_all();

 private:
  std::vector<int> files_;
  std::array<char, size_t{64} * 1024> buffer_{};
};

// Reads the monotonic clock.
int64_t now_ns();

}  // namespace monitor::bench
