// The page's files, which web/ builds into bundle/ and the program embeds.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace monitor::analysis::web {

struct EmbeddedFile {
  std::string_view name;
  std::string_view (*bytes)();
};

std::span<const EmbeddedFile> embedded_files();

struct Asset {
  std::string_view content_type;
  std::string_view bytes;
  bool keep = false;  // its name contains a hash of its bytes, so that a browser may keep it for ever
};

// By path, such as "/app.js"; "/" is the page itself.
std::optional<Asset> find_asset(std::string_view path);

}  // namespace monitor::analysis::web
