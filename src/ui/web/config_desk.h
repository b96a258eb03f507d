// ConfigDesk: the page's side of the configuration: what is stored, who runs what, and changes to it. Calls that block,
// on the thread that first calls open(); not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "config/fleet.h"
#include "config/fleet_catalog.h"
#include "config/store.h"
#include "config/validate.h"
#include "ui/web/http.h"

namespace monitor::analysis::web {

using OpenConfig = std::function<Result<std::unique_ptr<config::ConfigStore>>()>;

struct ConfigOptions {
  OpenConfig open;       // called on the desk's thread, again after a failure
  bool files = false;    // else etcd
  std::string describe;  // for people: where it is
};

// Who changes a document, for the log. There is one token, so that its holder has no name.
struct ChangedBy {
  std::string address;
  std::string forwarded_for = {};  // a claim, of a proxy or of anybody
  std::string origin = {};         // of the page; empty: no page
};

// Of a stored document, to tell whether it is still the one that was read.
std::string tag_of(const config::Stored& stored);

class ConfigDesk {
 public:
  ConfigDesk(ConfigOptions options, const config::PluginCatalog& plugins, const Clock& clock)
      : options_(std::move(options)), plugins_(plugins), clock_(clock) {}

  // Everything below /monitor/.
  Result<config::StoredKeys> keys();

  Reply overview();
  Reply document(const std::string& key);
  // `body`: {"value": TEXT, "base": TAG or null}; without a value it is a deletion.
  // What was changed is logged, without the document's content.
  Reply change(const std::string& key, const std::string& body, const ChangedBy& by);
  Reply validate(const std::string& key, const std::string& text);
  Reply explain(const std::string& agent);
  Reply schema() const;
  Reply plugins();

  std::optional<int64_t> fresh_ns() const;
  const ConfigOptions& options() const { return options_; }

 private:
  Result<config::ConfigStore*> store();
  // The plugins that a document may name.
  config::FleetCatalog catalog(const config::StoredKeys& all) const;
  Status check_versions(const config::StoredKeys& keys, const std::string& key, const std::string& text) const;

  const ConfigOptions options_;
  const config::PluginCatalog& plugins_;
  const Clock& clock_;
  std::unique_ptr<config::ConfigStore> store_;
};

}  // namespace monitor::analysis::web
