#include "config/source.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/crc32c.h"
#include "base/log.h"

namespace monitor::config {

bool WatchSet::contains(const std::string& key) const {
  return keys.contains(key) || std::any_of(prefixes.begin(), prefixes.end(),
                                           [&](const std::string& prefix) { return key.starts_with(prefix); });
}

WatchSet valid_part(const WatchSet& what) {
  WatchSet valid = what;
  const auto warn = [](const Error& reason) { log_warning("not watched", {{"reason", reason}}); };
  std::erase_if(valid.keys, [&](const std::string& key) {
    const Status good = check_key(key);
    if (!good) warn(good.error());
    return !good;
  });
  std::erase_if(valid.prefixes, [&](const std::string& prefix) {
    const Status good = check_prefix(prefix);
    if (!good) warn(good.error());
    return !good;
  });
  return valid;
}

int64_t newest_revision(const KeySet& keys) {
  int64_t newest = 0;
  for (const auto& [key, entry] : keys.entries) newest = std::max(newest, entry.revision);
  return newest != 0 ? newest : keys.revision;
}

std::string mark_of(const KeySet& keys, const std::string& without) {
  std::string text;
  for (const auto& [key, entry] : keys.entries) {
    if (entry.revision != 0 && key != without) text += fmt::format("{} {}\n", key, entry.revision);
  }
  return text.empty() ? "" : fmt::format("{:08x}", crc32c(text));
}

std::string contents_mark_of(const KeySet& keys, const std::string& without) {
  uint32_t crc = 0;
  for (const auto& [key, entry] : keys.entries) {
    if (key == without) continue;
    if (entry.fault) return "";
    crc = crc32c(fmt::format("{} {}\n", key, entry.value.size()), crc);
    crc = crc32c(entry.value, crc);
  }
  return fmt::format("{:08x}", crc);
}

}  // namespace monitor::config
