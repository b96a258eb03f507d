#include "ui/web/assets.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "base/text.h"

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

// "br;q=0.5" names br; "br;q=0" refuses it.
bool takes(std::string_view part, std::string_view encoding) {
  const std::vector<std::string_view> pieces = split(part, ';');
  const bool named = std::ranges::equal(trim(pieces.front()), encoding,
                                        [](unsigned char one, char other) { return std::tolower(one) == other; });
  if (!named) return false;
  return std::none_of(pieces.begin() + 1, pieces.end(), [](std::string_view piece) {
    const std::string_view weight = trim(piece);
    return (weight.starts_with("q=") || weight.starts_with("Q=")) &&
           parse_double(trim(weight.substr(2))).value_or(0) <= 0;
  });
}

bool takes(const std::vector<std::string>& accepted, std::string_view encoding) {
  return std::ranges::any_of(accepted, [&](std::string_view line) {
    return std::ranges::any_of(split(line, ','), [&](std::string_view part) { return takes(part, encoding); });
  });
}

const EmbeddedFile* find_file(std::string_view name) {
  const auto found = std::ranges::find(embedded_files(), name, &EmbeddedFile::name);
  return found == embedded_files().end() ? nullptr : &*found;
}

}  // namespace

std::optional<Asset> find_asset(std::string_view path, const std::vector<std::string>& accepted) {
  if (!path.starts_with('/')) return std::nullopt;
  std::string_view name = path.substr(1);
  if (name.empty()) name = "index.html";
  if (name == "favicon.ico") name = "icon.svg";
  const EmbeddedFile* const file = find_file(name);
  if (file == nullptr || name.ends_with(".br") || name.ends_with(".gz")) return std::nullopt;
  Asset asset{.content_type = content_type(name), .bytes = file->bytes(), .encoding = {}, .keep = has_hash(name)};
  for (const auto& [encoding, ending] : {std::pair{"br", ".br"}, std::pair{"gzip", ".gz"}}) {
    const EmbeddedFile* const smaller = takes(accepted, encoding) ? find_file(std::string(name) + ending) : nullptr;
    if (smaller == nullptr || smaller->bytes().size() >= asset.bytes.size()) continue;
    asset.bytes = smaller->bytes();
    asset.encoding = encoding;
    break;
  }
  return asset;
}

}  // namespace monitor::analysis::web
