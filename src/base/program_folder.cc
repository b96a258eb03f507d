#include "base/program_folder.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>

namespace monitor {

std::string program_folder() {
  std::array<char, PATH_MAX> path{};
  const ssize_t n = readlink("/proc/self/exe", path.data(), path.size() - 1);
  const std::string text(path.data(), static_cast<size_t>(std::max<ssize_t>(n, 0)));
  return text.substr(0, text.rfind('/'));
}

}  // namespace monitor
