// Keys: every accepted key must be safe as a path below a folder, segment by segment.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/text.h"
#include "config/keys.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace monitor;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const bool prefix = text.ends_with('/');
  const Status checked = prefix ? config::check_prefix(text) : config::check_key(text);
  if (!checked) {
    require(valid_utf8(checked.error().message()) && checked.error().message().size() < 4096);
    require(prefix || config::kind_of_key(text) == config::KeyKind::kOther);
    return 0;
  }
  require(text.size() < 2000 && text.starts_with('/'));
  require(text.find('\0') == std::string_view::npos && text.find("//") == std::string_view::npos);
  const std::string_view inner = prefix ? text.substr(1, text.size() - 2) : text.substr(1);
  for (const std::string_view segment : split(inner, '/')) {
    require(!segment.empty() && segment != "." && segment != ".." && segment.size() <= 128);
  }
  if (!prefix && config::kind_of_key(text) == config::KeyKind::kAgent) {
    require(config::agent_key(config::name_of_key(text)) == text);
  }
  return 0;
}
