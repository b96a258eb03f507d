// ConfigStore: the author's side of the configuration: read, write, delete, list. Files and etcd implement it.
// Keys are named as in etcd, whatever the store. A key or prefix that is not valid (config/keys.h) is refused with
// kInvalidArgument by every call, and left out of lists when it is stored by others. Calls block; not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/result.h"

namespace monitor::config {

struct Stored {
  std::string value;
  int64_t revision = 0;  // of the last change; 0 where the store has none (files)
};

class ConfigStore {
 public:
  virtual ~ConfigStore() = default;

  // Nothing under the key is no error.
  virtual Result<std::optional<Stored>> get(const std::string& key) = 0;
  // By key, in order. The prefix ends with a slash.
  virtual Result<std::map<std::string, Stored>> list(const std::string& prefix) = 0;
  // Reads, lets `change` make the new value of the old one (nothing: delete), writes. Nobody's change in between is
  // lost: `change` is asked again when there was one. Its error ends it. Returns the revision of the write.
  using Change = std::function<Result<std::optional<std::string>>(const std::optional<Stored>& current)>;
  virtual Result<int64_t> update(const std::string& key, const Change& change) = 0;
  // Whatever stands there; gone by itself after this long, where the store can (etcd: a lease; files: never). Returns
  // the revision of the write.
  virtual Result<int64_t> put_for(const std::string& key, const std::string& value, int64_t ns) = 0;
  // For people: the file of a key, or the key.
  virtual std::string describe(const std::string& key) const = 0;
};

}  // namespace monitor::config
