// The options of `monitor-analysis serve` about who may use the page, and their checks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bin/common/cli.h"
#include "telemetry/http/http_server.h"
#include "ui/web/gate.h"

namespace monitor {

struct AccessFlags {
  std::string token_file;
  std::vector<std::string> hosts;
  std::string users;
  int64_t idle_ns = 0;  // 0: the default
  int64_t max_age_ns = 0;
  std::string audit_log;
  std::vector<std::string> proxies;
  std::string user_header;
  std::string role_header;
  std::string tls_cert;
  std::string tls_key;
  bool insecure = false;
};

void declare_access(CLI::App& sub, AccessFlags& flags);
// Checks the options together with the address on which the page is served. Returns an error text, or an empty string.
std::string check_access(const AccessFlags& flags, const telemetry::HttpOptions& http);
// Logs a warning for each protection that --insecure turns off.
void warn_about_access(const AccessFlags& flags, const telemetry::HttpOptions& http);
// The flags must have passed check_access(). `data`: the data folder, for the default token file. Creates the token
// file if it is missing.
Result<analysis::web::Access> page_access(const AccessFlags& flags, const std::string& data);
// The file with the web token; empty: changes need a login.
std::string token_path(const AccessFlags& flags, const std::string& data);

}  // namespace monitor
