// The page's files, which web/ builds into bundle/ and the program embeds.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace monitor::analysis::web {

// One file of bundle/. For every file NAME there are NAME.br and NAME.gz, which contain it compressed.
struct EmbeddedFile {
  std::string_view name;
  std::string_view (*bytes)();
};

std::span<const EmbeddedFile> embedded_files();

struct Asset {
  std::string_view content_type;
  std::string_view bytes;
  std::string_view encoding;  // "br" or "gzip": how the bytes are compressed; empty: not at all
  bool keep = false;          // its name contains a hash of its bytes, so that a browser may keep it for ever
};

// By path, such as "/app.js"; "/" is the page itself. `accepted`: the request's Accept-Encoding headers, which choose
// the smallest form that the browser takes (RFC 9110, 12.5.3).
std::optional<Asset> find_asset(std::string_view path, const std::vector<std::string>& accepted);

}  // namespace monitor::analysis::web
