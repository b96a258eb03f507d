#include "config/source.h"

#include <algorithm>

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

}  // namespace monitor::config
