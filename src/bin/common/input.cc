#include "bin/common/input.h"

#include <fmt/format.h>

#include <array>
#include <iostream>

namespace monitor {

Result<std::string> read_input(Disk& disk, const std::string& file, size_t max_bytes) {
  if (file != "-") return disk.read_file(file, max_bytes);
  std::string text;
  std::array<char, size_t{64} * 1024> buffer{};
  while (std::cin.read(buffer.data(), buffer.size()), std::cin.gcount() > 0) {
    text.append(buffer.data(), static_cast<size_t>(std::cin.gcount()));
    if (text.size() > max_bytes) {
      return Error(Code::kResourceExhausted, fmt::format("standard input has more than {} bytes", max_bytes));
    }
  }
  return text;
}

}  // namespace monitor
