#include "base/host_id.h"

#include <fmt/format.h>

#include "base/hash64.h"
#include "base/text.h"

namespace monitor {

namespace {

constexpr HashKey kKey{0x686F7374, 0x6E616D65};

std::string made_valid(std::string_view name) {
  std::string id;
  for (const char c : name) {
    const bool fits = valid_name(std::string_view(&c, 1)) || (c == '.' && !id.empty());
    const char next = fits ? c : '-';
    if (next != '-' || id.empty() || id.back() != '-') id += next;
  }
  constexpr size_t kMost = 100;
  return fmt::format("{}-{:08x}", id.substr(0, kMost), hash64(kKey, name) & 0xFFFFFFFF);
}

}  // namespace

HostId id_of_host(std::string_view name) {
  // "(none)" is the kernel's name for an unnamed host.
  if (name.empty() || name == "(none)") return {"", "this host has no name"};
  if (name == "localhost" || name.starts_with("localhost.") || name.starts_with("localhost4") ||
      name.starts_with("localhost6")) {
    return {std::string(name), fmt::format("this host is called {}, the default for hosts without a name", name)};
  }
  if (valid_name(name)) return {std::string(name), ""};
  std::string id = made_valid(name);
  std::string why =
      fmt::format("the host's name {} cannot be an agent id, which has 1 to 128 of [A-Za-z0-9._-]", json_quote(name));
  return {std::move(id), std::move(why)};
}

}  // namespace monitor
