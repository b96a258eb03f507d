// The files of the page that the program holds: what web/ builds (bundle/), and the API's description.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace monitor::analysis::web {

struct Asset {
  std::string_view content_type;
  std::string_view bytes;
};

// Of a path as "/app.js"; "/" is the page itself.
std::optional<Asset> find_asset(std::string_view path);
std::string_view openapi();

}  // namespace monitor::analysis::web
