// AlertsService: alerts, notifications and silences for the page's API, from the alerts' file in the data folder. Calls
// block, and must all be made on one thread, on which the file is opened.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "notify/store.h"
#include "ui/access/audit_log.h"
#include "ui/web/config_service.h"
#include "ui/web/http.h"

namespace monitor::analysis::web {

class AlertsService {
 public:
  AlertsService(std::string path, const Clock& clock, access::AuditLog& audit)
      : path_(std::move(path)), clock_(clock), audit_(audit) {}

  Reply alerts();
  Reply history(int64_t since_ns, size_t most);
  Reply silences();
  // `body`: {"matchers": [TEXT, ...], "startsAt": TIME, "endsAt": TIME, "reason": TEXT}, and "id" to change one.
  // Without "startsAt", it begins now.
  Reply set_silence(const std::string& body, const ChangedBy& by);
  Reply expire_silence(const std::string& id, const ChangedBy& by);
  // Writes changes of silences to the audit log, whoever has made them. Changes by this object are written at once;
  // call this from time to time for those of commands and other instances.
  void audit_changes();

 private:
  Result<notify::AlertStore*> store(notify::AlertStore::Open mode);
  Reply answer(const Result<notify::Silence>& silence);
  int64_t now_ms() const { return clock_.wall_ns() / kNanosPerMilli; }

  const std::string path_;
  const Clock& clock_;
  access::AuditLog& audit_;
  bool audit_fails_ = false;
  std::unique_ptr<notify::AlertStore> store_;
};

}  // namespace monitor::analysis::web
