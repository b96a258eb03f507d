#include "bin/analysis/page_access.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/counted.h"
#include "base/disk.h"
#include "base/log.h"
#include "base/net/loopback.h"
#include "base/random.h"
#include "base/text.h"
#include "base/trust.h"
#include "ui/access/secret.h"

namespace monitor {

namespace {

namespace web = analysis::web;

constexpr size_t kMinToken = 16;
constexpr size_t kTokenDigits = 32;

bool needs_login(const AccessFlags& flags) { return !flags.users.empty() || !flags.proxies.empty(); }

// Reads the token from the file, or creates it. The file must be trusted, since whoever can write it decides who may
// change the configuration.
Result<std::string> token_of(const std::string& path) {
  const auto found = read_secret_file(path, 4096, "the token file");
  if (found) {
    const std::string token(trim(*found));
    if (token.size() >= kMinToken) return token;
    return Error(Code::kInvalidArgument, fmt::format("{}: got a token of {}, expected {} or more", path,
                                                     counted(token.size(), "byte"), kMinToken));
  }
  if (found.error().code() != Code::kNotFound) return found.error();
  SystemRandom random;
  const std::string token = access::new_secret(random).substr(0, kTokenDigits);
  const Fd file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  const std::string line = token + "\n";
  if (!file.valid() || write(file.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    return errno_error(errno, "writing the token to " + path);
  }
  return token;
}

bool is_header_name(const std::string& name) {
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
}

std::string check_proxies(const AccessFlags& flags) {
  for (const std::string& proxy : flags.proxies) {
    if (const auto parsed = access::Network::parse(proxy); !parsed) {
      return "--trusted-proxy: " + parsed.error().message();
    }
  }
  if (flags.proxies.empty() && !flags.user_header.empty()) {
    return "--proxy-user-header needs --trusted-proxy: from other addresses, the header proves nothing";
  }
  if (!flags.proxies.empty() && flags.user_header.empty() && flags.users.empty()) {
    return "--trusted-proxy needs --proxy-user-header or --users: otherwise nobody can log in";
  }
  if (flags.user_header.empty() && !flags.role_header.empty()) return "--proxy-role-header needs --proxy-user-header";
  for (const auto& [option, name] :
       {std::pair("--proxy-user-header", flags.user_header), {"--proxy-role-header", flags.role_header}}) {
    if (name.empty() || is_header_name(name)) continue;
    return fmt::format("{}: got {}, expected the name of a header", option, json_quote(name.substr(0, 80)));
  }
  return "";
}

}  // namespace

void declare_access(CLI::App& sub, AccessFlags& flags) {
  sub.add_option("--web-token-file", flags.token_file,
                 "File with a token that allows changes; created if missing (default: <data>/web-token; with --users: "
                 "none)")
      ->type_name("FILE");
  sub.add_option("--web-host", flags.hosts,
                 "Additional host name that browsers may use for this server; may be repeated")
      ->type_name("NAME");
  sub.add_option("--users", flags.users,
                 "Require a login by the users and API tokens in this file (monitor-analysis user, api-token)")
      ->type_name("FILE");
  add_duration(sub, "--session-idle", flags.idle_ns, "End sessions that are not used for this long")
      ->default_str("30m");
  add_duration(sub, "--session-max", flags.max_age_ns, "End sessions of this age")->default_str("12h");
  sub.add_option("--audit-log", flags.audit_log, "Append changes, logins and refusals to this file, as JSON lines")
      ->type_name("FILE");
  sub.add_option("--trusted-proxy", flags.proxies,
                 "Address or network of a proxy that authenticates users; may be repeated")
      ->type_name("ADDR[/PREFIX]");
  sub.add_option("--proxy-user-header", flags.user_header, "Header in which a trusted proxy names the user")
      ->type_name("NAME");
  sub.add_option("--proxy-role-header", flags.role_header,
                 "Header in which a trusted proxy gives the user's role (default: every user is a viewer)")
      ->type_name("NAME");
  sub.add_option("--tls-cert", flags.tls_cert, "Serve the page over TLS with this certificate chain (PEM)")
      ->type_name("FILE");
  sub.add_option("--tls-key", flags.tls_key, "Private key of --tls-cert (PEM)")->type_name("FILE");
  sub.add_flag("--insecure", flags.insecure,
               "Allow plain text, and reading without a login, on an address that other hosts can reach");
}

std::string check_access(const AccessFlags& flags, const telemetry::HttpOptions& http) {
  if (flags.tls_cert.empty() != flags.tls_key.empty()) return "--tls-cert and --tls-key need each other";
  if (std::string fault = check_proxies(flags); !fault.empty()) return fault;
  if (flags.idle_ns > 0 && flags.max_age_ns > 0 && flags.idle_ns > flags.max_age_ns) {
    return fmt::format("--session-idle: got {} ns, the limit is --session-max ({} ns)", flags.idle_ns,
                       flags.max_age_ns);
  }
  if (flags.insecure || is_loopback_host(http.address)) return "";
  if (flags.tls_cert.empty()) {
    return fmt::format(
        "--http: other hosts can reach {}, and without TLS they can read passwords and tokens on the "
        "way: give --tls-cert and --tls-key, or --insecure to accept that",
        http.address);
  }
  if (!needs_login(flags)) {
    return fmt::format(
        "--http: other hosts can reach {}, and everybody could read the page: give --users or "
        "--trusted-proxy, or --insecure to accept that",
        http.address);
  }
  return "";
}

void warn_about_access(const AccessFlags& flags, const telemetry::HttpOptions& http) {
  if (is_loopback_host(http.address)) return;
  if (flags.tls_cert.empty()) {
    log_warning("the page is served in plain text: passwords and tokens can be read on the way",
                {{"address", http.address}, {"next", "--tls-cert, --tls-key"}});
  }
  if (!needs_login(flags)) {
    log_warning("everybody who reaches the page can read it", {{"address", http.address}, {"next", "--users"}});
  }
}

std::string token_path(const AccessFlags& flags, const std::string& data) {
  if (!flags.token_file.empty()) return flags.token_file;
  return needs_login(flags) ? "" : data + "/web-token";
}

Result<web::Access> page_access(const AccessFlags& flags, const std::string& data) {
  web::Access access{.hosts = flags.hosts, .token = ""};
  access.hosts.push_back(host_name());
  if (const std::string path = token_path(flags, data); !path.empty()) {
    const auto token = token_of(path);
    if (!token) return token.error();
    access.token = *token;
  }
  access.users_file = flags.users;
  if (flags.idle_ns > 0) access.sessions.idle_ns = flags.idle_ns;
  if (flags.max_age_ns > 0) access.sessions.max_age_ns = flags.max_age_ns;
  access.sessions.idle_ns = std::min(access.sessions.idle_ns, access.sessions.max_age_ns);
  for (const std::string& proxy : flags.proxies) {
    const auto network = access::Network::parse(proxy);
    if (!network) return network.error();
    access.proxies.push_back(*network);
  }
  access.proxy_user_header = flags.user_header;
  access.proxy_role_header = flags.role_header;
  access.tls = !flags.tls_cert.empty();
  return access;
}

}  // namespace monitor
