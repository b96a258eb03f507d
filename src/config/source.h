// ConfigSource: delivers configuration documents. Implementations: files, etcd, and memory for tests; all pass
// config/source_contract_test.h.
//
// Keys are spelled as in etcd (/monitor/config/<agent-id>) for every source. Thread contract: the loop's thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/keys.h"

namespace monitor::config {

struct Entry {
  std::string value;
  // Set if the key exists but cannot be read (no permission, too large); `value` is then empty.
  std::optional<Error> fault;
  int64_t revision = 0;  // of its last change; 0 if the source has none (files)

  // Compares contents, not revisions.
  bool operator==(const Entry& other) const {
    return value == other.value && fault.has_value() == other.fault.has_value() &&
           (!fault || fault->message() == other.fault->message());
  }
};

// The watched keys, and prefixes, which end with a slash.
struct WatchSet {
  std::set<std::string> keys;
  std::set<std::string> prefixes = {};

  bool contains(const std::string& key) const;
  bool operator==(const WatchSet&) const = default;
};

// Drops invalid keys and prefixes, and logs a warning for each.
WatchSet valid_part(const WatchSet& what);

// A consistent snapshot of all watched keys that exist; it includes every change up to `revision`.
struct KeySet {
  int64_t revision = 0;
  std::map<std::string, Entry> entries;
};

// The newest revision of any key; that of the whole set if keys have none (files).
int64_t newest_revision(const KeySet& keys);
// Fingerprint of keys and revisions: equal exactly if nothing was written or deleted. Eight hexadecimal digits; empty
// if keys have no revisions. `without`: a key to leave out.
std::string mark_of(const KeySet& keys, const std::string& without = {});

class ConfigListener {
 public:
  virtual ~ConfigListener() = default;
  // Called with all keys first, and again after every change. Revisions never decrease, unless the source was restored
  // to an older state. A burst of changes may be one call with the last state.
  virtual void on_keys(const KeySet& keys) = 0;
  // The source cannot be read at the moment; it keeps trying. The last snapshot stays valid.
  virtual void on_source_lost(const Error& reason) = 0;
};

class ConfigSource {
 public:
  virtual ~ConfigSource() = default;
  // Replaces the watched keys. Invalid keys and prefixes (config/keys.h) are left out. The listener must outlive the
  // source, and may be called before watch() returns.
  virtual void watch(const WatchSet& what, ConfigListener& listener) = 0;
  // Describes a key in messages: its file, or the key itself.
  virtual std::string describe(const std::string& key) const = 0;
};

}  // namespace monitor::config
