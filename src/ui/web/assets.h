// The page's files, which web/ builds into bundle/ and the program embeds.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace monitor::analysis::web {

struct Asset {
  std::string_view content_type;
  std::string_view bytes;
};

// By path, such as "/app.js"; "/" is the page itself.
std::optional<Asset> find_asset(std::string_view path);

}  // namespace monitor::analysis::web
