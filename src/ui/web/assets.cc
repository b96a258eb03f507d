#include "ui/web/assets.h"

namespace monitor {

std::string_view asset_index_html();
std::string_view asset_app_js();
std::string_view asset_app_css();
std::string_view asset_icon_svg();

}  // namespace monitor

namespace monitor::analysis::web {

std::optional<Asset> find_asset(std::string_view path) {
  if (path == "/" || path == "/index.html") return Asset{"text/html; charset=utf-8", asset_index_html()};
  if (path == "/app.js") return Asset{"text/javascript; charset=utf-8", asset_app_js()};
  if (path == "/app.css") return Asset{"text/css; charset=utf-8", asset_app_css()};
  if (path == "/icon.svg" || path == "/favicon.ico") return Asset{"image/svg+xml", asset_icon_svg()};
  return std::nullopt;
}

}  // namespace monitor::analysis::web
