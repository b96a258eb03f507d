// ConfigStore: reads, writes, deletes and lists documents, for programs that edit them. Implementations: files and
// etcd. All stores use the keys of etcd. Every call rejects an invalid key or prefix (config/keys.h) with
// kInvalidArgument; list() skips invalid keys that others have stored. Calls block; not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/history/change_record.h"

namespace monitor::config {

struct Stored {
  std::string value;
  int64_t revision = 0;  // revision of the last change; 0 if the store has none (files)
};

// A version of a document: the text after a change, and what is known of the change.
struct Version {
  // Without revisions (files), `revision` is the number of the change. 0: unknown.
  Stored stored;
  bool deleted = false;    // the document was deleted
  int64_t written_ns = 0;  // Unix time; 0: unknown. It may be some seconds early if `recorded` is false
  bool recorded = false;   // the change was recorded when it was made, and `note` says by whom
  bool kept = true;        // false: the text was too large to keep
  ChangeNote note = {};    // if not recorded: at_ns is when a later change noticed this one; 0: none has
};

// A change to any document.
struct DocumentChange {
  std::string key;
  Version version;
};

struct DocumentHistory {
  std::vector<Version> versions;  // newest first
  bool complete = false;          // the last one is the first version ever; else there may have been earlier ones
};

class ConfigStore {
 public:
  virtual ~ConfigStore() = default;

  // Returns nothing if the key does not exist.
  virtual Result<std::optional<Stored>> get(const std::string& key) = 0;
  // Ordered by key. The prefix ends with a slash.
  virtual Result<std::map<std::string, Stored>> list(const std::string& prefix) = 0;
  // Compare-and-swap: reads the document, passes it to `change`, and writes the result (nothing: deletes the document).
  // After a concurrent change, calls `change` again with the new document. An error from `change` ends the update.
  // Returns the revision of the write.
  using Change = std::function<Result<std::optional<std::string>>(const std::optional<Stored>& current)>;
  virtual Result<int64_t> update(const std::string& key, const Change& change) = 0;
  // Overwrites the document. If the store supports it (etcd: a lease; files: no), the document disappears after `ns`.
  // Returns the revision of the write.
  virtual Result<int64_t> put_for(const std::string& key, const std::string& value, int64_t ns) = 0;
  // The same, with a record of the change in the document's history, written together with it: both or neither. A
  // change that was made before without a record gets one as well. Keys without a history (has_history()) have no
  // record.
  virtual Result<int64_t> update_noted(const std::string& key, const ChangeNote& note, const Change& change) {
    (void)note;
    return update(key, change);
  }
  virtual Result<int64_t> put_noted_for(const std::string& key, const ChangeNote& note, const std::string& value,
                                        int64_t ns) {
    (void)note;
    return put_for(key, value, ns);
  }
  // The newest recorded changes of all documents, newest first.
  virtual Result<std::vector<DocumentChange>> recent_changes(size_t most) {
    (void)most;
    return std::vector<DocumentChange>();
  }
  // The versions of a document, at most `most` of them. Returns nothing if the store keeps no old versions.
  virtual Result<std::optional<DocumentHistory>> history(const std::string& key, size_t most) {
    (void)key;
    (void)most;
    return std::optional<DocumentHistory>();
  }
  // Describes a key in messages: its file, or the key itself.
  virtual std::string describe(const std::string& key) const = 0;
};

}  // namespace monitor::config
