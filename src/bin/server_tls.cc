#include "bin/server_tls.h"

#include <fmt/format.h>

#include <utility>

#include "base/log.h"
#include "base/net/loopback.h"
#include "base/trust.h"
#include "grpc/tls.h"

namespace monitor {

namespace {

grpc::ClientAuth client_auth(const ServerTlsFlags& flags) {
  if (flags.ca.empty() || flags.client_auth == "off") return grpc::ClientAuth::kOff;
  return flags.client_auth == "verify-if-given" ? grpc::ClientAuth::kVerifyIfGiven : grpc::ClientAuth::kRequire;
}

// The first address that other hosts can reach; nullptr if there is none.
const server::ListenAddress* open_address(const std::vector<server::ListenAddress>& listen) {
  for (const server::ListenAddress& one : listen) {
    if (!is_loopback_host(one.address)) return &one;
  }
  return nullptr;
}

}  // namespace

void add_server_tls_options(CLI::App& app, ServerTlsFlags& flags) {
  auto* const cert =
      app.add_option("--tls-cert", flags.certificate, "Use TLS with this certificate, followed by its chain (PEM)")
          ->type_name("FILE");
  auto* const key = app.add_option("--tls-key", flags.key, "The certificate's private key (PEM)")->type_name("FILE");
  cert->needs(key);
  key->needs(cert);
  auto* const ca =
      app.add_option("--tls-ca", flags.ca,
                     "Agents must present a certificate signed by a CA in this file (PEM); it names the agent")
          ->type_name("FILE")
          ->needs(cert);
  app.add_option(
         "--tls-client-auth", flags.client_auth,
         "require: every agent needs a certificate (default with --tls-ca); verify-if-given: agents without one "
         "may use any id; off")
      ->check(CLI::IsMember({"require", "verify-if-given", "off"}));
  app.add_option("--identity-from", flags.identity_from,
                 "What names the agent in its certificate: san-uri (default), the only URI SAN, "
                 "spiffe://TRUST-DOMAIN/agent/ID; cn, the common name; none, a certificate admits any id")
      ->check(CLI::IsMember({"san-uri", "cn", "none"}))
      ->needs(ca);
  app.add_option("--trust-domain", flags.trust_domain,
                 "The only trust domain of agents' URI SANs (default: any that the CA signs; with --ca-dir: monitor)")
      ->type_name("NAME");
  app.add_option("--tls-crl", flags.crl,
                 "Refuse certificates that a CRL in this file revokes (PEM); needs a current "
                 "CRL of the CA that signs the agents' certificates")
      ->type_name("FILE")
      ->needs(ca);
  app.add_flag("--insecure", flags.insecure,
               "Accept agents from other hosts without TLS: anyone who reaches the port can send")
      ->excludes(cert);
}

std::string check_server_tls_flags(const ServerTlsFlags& flags, const std::vector<server::ListenAddress>& listen) {
  if (const auto* const open = open_address(listen); open && flags.certificate.empty() && !flags.insecure) {
    return fmt::format(
        "--listen {}: other hosts can reach this address, and agents would be accepted without TLS; use --tls-cert and "
        "--tls-key (and --tls-ca to identify agents), or allow it with --insecure",
        HostPort{open->address, open->port}.to_string());
  }
  if (flags.ca.empty() && !flags.client_auth.empty() && flags.client_auth != "off") {
    return fmt::format("--tls-client-auth {} needs --tls-ca, the CA of the agents' certificates", flags.client_auth);
  }
  if (!flags.ca.empty() && flags.client_auth == "off") {
    return "--tls-ca has no effect with --tls-client-auth off; remove one of them";
  }
  if (flags.trust_domain.empty()) return "";
  if (flags.ca.empty()) return "--trust-domain needs --tls-ca or --ca-dir, the CA of the agents' certificates";
  if (!flags.identity_from.empty() && flags.identity_from != "san-uri") {
    return fmt::format("--trust-domain has no effect with --identity-from {}; remove one of them", flags.identity_from);
  }
  const Status valid = identity::check_trust_domain(flags.trust_domain);
  return valid ? "" : "--trust-domain: " + valid.error().message();
}

identity::IdentityRule identity_rule(const ServerTlsFlags& flags) {
  using identity::IdentityFrom;
  if (client_auth(flags) == grpc::ClientAuth::kOff || flags.identity_from == "none") {
    return {.from = IdentityFrom::kNone, .trust_domain = ""};
  }
  return {.from = flags.identity_from == "cn" ? IdentityFrom::kCn : IdentityFrom::kSanUri,
          .trust_domain = flags.trust_domain};
}

Result<std::shared_ptr<const grpc::SecurityContext>> load_server_tls(const ServerTlsFlags& flags) {
  if (flags.certificate.empty()) return std::shared_ptr<const grpc::SecurityContext>();
  if (const Status key = check_secret_file(flags.key, "the key of --tls-cert"); !key) return key.error();
  return grpc::TlsServerContext::load({.certificate_file = flags.certificate,
                                       .key_file = flags.key,
                                       .client_ca_file = flags.ca,
                                       .client_auth = client_auth(flags),
                                       .crl_file = flags.crl});
}

Result<std::shared_ptr<grpc::ReloadingSecurity>> reloading_server_tls(
    const ServerTlsFlags& flags, const Clock& clock, const std::shared_ptr<grpc::RevokedByCrl>& revoked,
    std::function<void()> reloaded) {
  const auto load = [flags, revoked]() -> Result<std::shared_ptr<const grpc::SecurityContext>> {
    auto security = load_server_tls(flags);
    if (!security || flags.crl.empty()) return security;
    auto entries = grpc::read_crl(flags.crl);
    if (!entries) return entries.error();
    revoked->set(std::move(*entries));
    return security;
  };
  return grpc::ReloadingSecurity::create({.what = "of the server",
                                          .files = {flags.certificate, flags.key, flags.ca, flags.crl},
                                          .load = load,
                                          .certificate = flags.certificate,
                                          .reloaded = std::move(reloaded)},
                                         clock);
}

void warn_of_open_streams(const ServerTlsFlags& flags, const std::vector<server::ListenAddress>& listen) {
  const server::ListenAddress* const open = open_address(listen);
  if (open != nullptr && flags.certificate.empty()) {
    log_warning("agents are accepted from other hosts without TLS: anyone who reaches the port can send",
                {{"address", open->address}, {"next", "--tls-cert, --tls-key and --tls-ca"}});
  } else if (open != nullptr && flags.ca.empty()) {
    log_warning("agents need no certificate: anyone who reaches the port can send under any agent id",
                {{"address", open->address}, {"next", "--tls-ca"}});
  }
  if (client_auth(flags) == grpc::ClientAuth::kVerifyIfGiven) {
    log_warning("agents without a certificate can send under any agent id",
                {{"option", "--tls-client-auth verify-if-given"}, {"next", "--tls-client-auth require"}});
  }
  if (flags.identity_from == "none") {
    log_warning("every agent with a certificate can send under any agent id", {{"option", "--identity-from none"}});
  }
}

}  // namespace monitor
