#include "ui/web/assets.h"

#include <algorithm>

namespace monitor::analysis::web {

namespace {

constexpr size_t kHashLength = 8;

std::string_view content_type(std::string_view name) {
  if (name.ends_with(".html")) return "text/html; charset=utf-8";
  if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  return "image/svg+xml";
}

// "home-2DXHC6CF.js": the build writes a hash into the names of all files but those that index.html names.
bool has_hash(std::string_view name) {
  const size_t end = name.rfind('.');
  if (end == std::string_view::npos || end <= kHashLength || name[end - kHashLength - 1] != '-') return false;
  return std::ranges::all_of(name.substr(end - kHashLength, kHashLength),
                             [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); });
}

}  // namespace

std::optional<Asset> find_asset(std::string_view path) {
  if (!path.starts_with('/')) return std::nullopt;
  std::string_view name = path.substr(1);
  if (name.empty()) name = "index.html";
  if (name == "favicon.ico") name = "icon.svg";
  for (const EmbeddedFile& file : embedded_files()) {
    if (file.name == name) return Asset{content_type(name), file.bytes(), has_hash(name)};
  }
  return std::nullopt;
}

}  // namespace monitor::analysis::web
