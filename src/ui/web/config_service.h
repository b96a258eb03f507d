// ConfigService: the configuration as the page shows and changes it: documents, the revisions that agents run, and
// effective values. Calls block, and must all come from the same thread, on which the store is opened.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "config/edit.h"
#include "config/fleet.h"
#include "config/fleet_catalog.h"
#include "config/store.h"
#include "config/validate.h"
#include "ui/access/audit_log.h"
#include "ui/web/http.h"
#include "ui/web/identity.h"

namespace monitor::analysis::web {

using OpenConfig = std::function<Result<std::unique_ptr<config::ConfigStore>>()>;

struct ConfigOptions {
  OpenConfig open;       // called on the executor's thread, and again after a failure
  bool files = false;    // false: etcd
  std::string describe;  // its address or folder, for people
};

// Who changes a document, for the audit log.
struct ChangedBy {
  Identity who;
  std::string address;
  std::string forwarded_for = {};  // as claimed by the client or a proxy
  std::string origin = {};         // origin of the page that made the request; empty: not a page
};

// Identifies a version of a document, to detect concurrent changes.
std::string tag_of(const config::Stored& stored);

class ConfigService {
 public:
  ConfigService(ConfigOptions options, const config::PluginCatalog& plugins, const Clock& clock,
                access::AuditLog& audit)
      : options_(std::move(options)), plugins_(plugins), clock_(clock), audit_(audit) {}

  // All keys below /monitor/.
  Result<config::StoredKeys> keys();

  // `live_id`: a stream that follows this event misses no change of what is returned.
  Reply overview(const std::string& live_id);
  // Notes that a periodic read found this. True if the page's event is due: it differs from the last read, or
  // overview() has returned something else in the meantime.
  bool note_read(const config::StoredKeys& keys, const std::vector<config::FleetRow>& rows);
  Reply document(const std::string& key);
  // `body`: {"value": TEXT, "base": TAG or null, "message": WHY}; without a value, the document is deleted. Changes are
  // written to the document's history, to the audit log, and to the program's log without the document's content.
  Reply change(const std::string& key, const std::string& body, const ChangedBy& by);
  // The same for documents of other kinds, which their own service reads: `refuse` returns the reply if the new value
  // must not be stored.
  using Refuse = std::function<std::optional<Reply>(const std::string& value)>;
  Reply change_checked(const std::string& key, const std::string& body, const ChangedBy& by, const Refuse& refuse);
  // Opened at the first call, and again after a failure.
  Result<config::ConfigStore*> store();
  Reply validate(const std::string& key, const std::string& text);
  // Which agents a change would affect, and how. `body`: {"value": TEXT}, or {} for a deletion.
  Reply preview(const std::string& key, const std::string& body);
  // The old versions of a document. `names`: with who changed it, and why.
  Reply history(const std::string& key, bool names);
  // `body`: {"value": TEXT, "seconds": N}. The override replaces one of the same key.
  Reply set_override(const std::string& key, const std::string& body, const ChangedBy& by);
  Reply explain(const std::string& agent);
  // The last rollout of each group.
  Reply rollouts();
  // `body`: {"action": "pause", "resume" or "abort", "message": WHY}.
  Reply operate_rollout(const std::string& group, const std::string& body, const ChangedBy& by);
  Reply schema() const;
  Reply plugins();

  std::optional<int64_t> fresh_ns() const;
  const ConfigOptions& options() const { return options_; }

 private:
  // The plugins that documents may refer to.
  config::FleetCatalog catalog(const config::StoredKeys& all) const;
  config::ChangeNote note_of(const ChangedBy& by, const std::string& message) const;
  void record(const std::string& key, const std::optional<config::Stored>& before,
              const std::optional<config::Stored>& after, int64_t revision, const ChangedBy& by);
  Status check_versions(const config::StoredKeys& keys, const std::string& key, const std::string& text) const;
  std::optional<Reply> refusal_of(const std::string& key, const std::string& value, config::Edited what);

  const ConfigOptions options_;
  const config::PluginCatalog& plugins_;
  const Clock& clock_;
  access::AuditLog& audit_;
  std::unique_ptr<config::ConfigStore> store_;
  uint32_t seen_mark_ = 0;         // of what was read last
  bool shown_in_between_ = false;  // overview() has returned another state than the last periodic read found
};

}  // namespace monitor::analysis::web
