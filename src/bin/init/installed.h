// The configuration of the installed services: /etc/default/monitor-agent, monitor-server and monitor-analysis, which
// the units read with EnvironmentFile= (deploy/systemd). A line names an option's environment variable:
// MONITOR_AGENT_SERVER=web.example:50051. Secrets and certificates are in /etc/credstore; a service reads its copy.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/result.h"

namespace monitor {

inline constexpr const char* kOptionsFolder = "/etc/default";
inline constexpr const char* kCredentialStore = "/etc/credstore";

// Where a service finds a credential of its unit: /run/credentials/monitor-agent.service/tls-ca.
std::string credential_of_service(const std::string& service, const std::string& name);
// Where it comes from: /etc/credstore/monitor-agent.tls-ca.
std::string stored_credential(const std::string& service, const std::string& name);

class Installed {
 public:
  // `root` is put before the paths; empty for this host. Missing files are no error.
  static Result<Installed> read(Disk& disk, const std::string& root);

  // The files that exist.
  const std::vector<std::string>& files() const { return files_; }
  // The value of an option: value("agent", "tls-ca"). Empty if it is not set. A credential of the service is given as
  // the file that it comes from, since only the service may read its copy.
  std::string value(const std::string& program, const std::string& option) const;
  // Whether an option without a value is set: "true", "1", "yes" or "on".
  bool flag(const std::string& program, const std::string& option) const;

 private:
  std::vector<std::string> files_;
  std::map<std::string, std::string> values_;
};

}  // namespace monitor
