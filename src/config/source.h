// ConfigSource: delivers configuration documents. Implementations: files, etcd, and memory for tests; all pass
// config/testing/source_contract.h.
//
// All sources use the keys of etcd (/monitor/config/<agent-id>). Thread contract: the loop's thread.
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
  int64_t revision = 0;  // revision of its last change; 0 if the source has none (files)

  // Compares contents, not revisions.
  bool operator==(const Entry& other) const {
    return value == other.value && fault.has_value() == other.fault.has_value() &&
           (!fault || fault->message() == other.fault->message());
  }
};

// The watched keys and prefixes. Prefixes end with a slash.
struct WatchSet {
  std::set<std::string> keys;
  std::set<std::string> prefixes = {};

  bool contains(const std::string& key) const;
  bool operator==(const WatchSet&) const = default;
};

// Removes invalid keys and prefixes, and logs a warning for each.
WatchSet valid_part(const WatchSet& what);

// A consistent snapshot of all watched keys that exist; it includes every change up to `revision`.
struct KeySet {
  int64_t revision = 0;
  std::map<std::string, Entry> entries;
};

// The highest revision of any key; if keys have none (files), the revision of the whole set.
int64_t newest_revision(const KeySet& keys);
// Fingerprint of keys and revisions: two are equal exactly if nothing was written or deleted in between. Eight
// hexadecimal digits; empty if keys have no revisions. `without`: a key to ignore.
std::string mark_of(const KeySet& keys, const std::string& without = {});
// Fingerprint of keys and contents, which files have as well. Eight hexadecimal digits; empty if a document has a
// fault, because another reader may be able to read it. `without` as for mark_of().
std::string contents_mark_of(const KeySet& keys, const std::string& without = {});

class ConfigListener {
 public:
  virtual ~ConfigListener() = default;
  // Called first with all keys, and again after every change. Revisions never decrease, unless the source was restored
  // to an older state. A burst of changes may be reported as one call with the final state.
  virtual void on_keys(const KeySet& keys) = 0;
  // The source is unreadable at the moment; it keeps trying. The last snapshot stays valid.
  virtual void on_source_lost(const Error& reason) = 0;
};

class ConfigSource {
 public:
  virtual ~ConfigSource() = default;
  // Replaces the watched keys. Ignores invalid keys and prefixes (config/keys.h). The listener must outlive the source,
  // and may be called before watch() returns.
  virtual void watch(const WatchSet& what, ConfigListener& listener) = 0;
  // Describes a key in messages: its file, or the key itself.
  virtual std::string describe(const std::string& key) const = 0;
  // False if the document of this key is kept where other readers of the configuration do not look for it.
  virtual bool is_shared(const std::string& /*key*/) const { return true; }
};

}  // namespace monitor::config
