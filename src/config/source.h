// ConfigSource: where documents come from. Files and etcd implement it for real use, memory for tests; all pass
// config/source_contract_test.h.
//
// Keys are named as in etcd (/monitor/config/<agent-id>), whatever the source. Everything happens on the loop's thread.
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
  // Set when there is something under the key that cannot be read (no permission, too large): value is empty then.
  std::optional<Error> fault;
  int64_t revision = 0;  // of its last change; 0 where the source has none (files)

  // Of what is there, not of when it came.
  bool operator==(const Entry& other) const {
    return value == other.value && fault.has_value() == other.fault.has_value() &&
           (!fault || fault->message() == other.fault->message());
  }
};

// What is watched: keys, and everything below prefixes, which end with a slash.
struct WatchSet {
  std::set<std::string> keys;
  std::set<std::string> prefixes = {};

  bool contains(const std::string& key) const;
  bool operator==(const WatchSet&) const = default;
};

// Without what is not valid, of which a warning is logged.
WatchSet valid_part(const WatchSet& what);

// All watched keys that exist, as they stood together; every change up to the revision is in them.
struct KeySet {
  int64_t revision = 0;
  std::map<std::string, Entry> entries;
};

// The newest revision of what is there; the revision of the whole where single keys have none (files).
int64_t newest_revision(const KeySet& keys);
// Which keys at which revisions: the same exactly when nothing was written or deleted. Eight hexadecimal digits; empty
// where keys have no revisions. `without`: a key that is left out.
std::string mark_of(const KeySet& keys, const std::string& without = {});

class ConfigListener {
 public:
  virtual ~ConfigListener() = default;
  // First everything, then everything again after every change; revisions never go down, except when a source was
  // restored to an older state. A burst of changes may come as one call with the last of them.
  virtual void on_keys(const KeySet& keys) = 0;
  // The source cannot be read at the moment; it goes on trying. What was heard last stays in force.
  virtual void on_source_lost(const Error& reason) = 0;
};

class ConfigSource {
 public:
  virtual ~ConfigSource() = default;
  // From now on these; a second call replaces the first. What is no valid key or prefix (config/keys.h) is left out.
  // The listener must outlive the source, and may be called before watch() returns.
  virtual void watch(const WatchSet& what, ConfigListener& listener) = 0;
  // For people: the file of a key, or the key.
  virtual std::string describe(const std::string& key) const = 0;
};

}  // namespace monitor::config
