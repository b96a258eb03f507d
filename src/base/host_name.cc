#include "base/host_name.h"

#include <algorithm>

namespace monitor {

bool valid_host(std::string_view text) {
  constexpr size_t kMaxHost = 253;  // of a name in DNS
  if (text.empty() || text.size() > kMaxHost) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view(".-_:%").find(c) != std::string_view::npos;
  });
}

}  // namespace monitor
