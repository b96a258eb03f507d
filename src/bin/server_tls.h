// monitor-server's options for TLS and for the identity of agents.
#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "grpc/crl.h"
#include "grpc/reloading_security.h"
#include "grpc/secure_transform.h"
#include "identity/peer.h"
#include "server/server.h"

namespace monitor {

struct ServerTlsFlags {
  std::string certificate;
  std::string key;
  std::string ca;
  std::string client_auth;    // empty: require with `ca`, else off
  std::string identity_from;  // empty: san-uri
  std::string trust_domain;
  std::string crl;
  bool insecure = false;
};

void add_server_tls_options(CLI::App& app, ServerTlsFlags& flags);

// Checks how the options fit together, and returns an error text, or an empty string. If `listen` has an address other
// than loopback, TLS or --insecure is required.
std::string check_server_tls_flags(const ServerTlsFlags& flags, const std::vector<server::ListenAddress>& listen);

// How certificates name agents; kNone without a CA.
identity::IdentityRule identity_rule(const ServerTlsFlags& flags);

// nullptr: plain text. Errors name the file.
Result<std::shared_ptr<const grpc::SecurityContext>> load_server_tls(const ServerTlsFlags& flags);

// Follows the files. `revoked` always has the entries of --tls-crl that are in use; `reloaded` is called after a
// change.
Result<std::shared_ptr<grpc::ReloadingSecurity>> reloading_server_tls(
    const ServerTlsFlags& flags, const Clock& clock, const std::shared_ptr<grpc::RevokedByCrl>& revoked,
    std::function<void()> reloaded);

// Logs warnings about what the options allow other hosts to do.
void warn_of_open_streams(const ServerTlsFlags& flags, const std::vector<server::ListenAddress>& listen);

}  // namespace monitor
