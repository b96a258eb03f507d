// Checks the certificates that peers present: chain, name and days left.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "doctor/checks.h"
#include "doctor/checks/days_left.h"
#include "doctor/url.h"

namespace monitor::doctor {

namespace {

struct Peer {
  std::string name;
  HostPort address;
  TlsFiles files;
  std::string alpn;
};

std::vector<Peer> peers_of(const Setup& setup) {
  std::vector<Peer> peers;
  if (setup.server_tls.used()) {
    for (const HostPort& one : setup.servers)
      peers.push_back({"server " + one.to_string(), one, setup.server_tls, "h2"});
  }
  if (setup.etcd.tls.used()) {
    for (const HostPort& one : setup.etcd.endpoints)
      peers.push_back({"etcd " + one.to_string(), one, setup.etcd.tls, ""});
  }
  if (const auto page = parse_url(setup.page); page && page->tls) {
    peers.push_back({"the page " + setup.page, page->address, {.ca = setup.page_ca}, ""});
  }
  return peers;
}

void look_at(const Context& context, const Peer& peer, Findings& findings) {
  const auto seen = context.peers.certificate(peer.address, peer.files, peer.alpn, context.timeout_ns);
  if (!seen) {
    findings.push_back(fail(fmt::format("{}: {}", peer.name, seen.error().message()),
                            "the peer must speak TLS on this port; if it does not, leave out --tls-ca"));
    return;
  }
  if (seen->chain.empty()) {
    findings.push_back(fail(peer.name + " presents no certificate", "give it a certificate"));
    return;
  }
  if (!seen->fault.empty()) {
    const CertificateFacts& own = seen->chain.front();
    std::string names;
    for (size_t i = 0; i < std::min<size_t>(own.names.size(), 5); ++i) names += (i == 0 ? "" : ", ") + own.names[i];
    findings.push_back(fail(
        fmt::format("{}: {}. Its certificate is {}, from {}, for the names [{}]", peer.name, seen->fault, own.subject,
                    own.issuer, names),
        "connect by a name that the certificate has, name the CA that signed it (--tls-ca, --etcd-ca, --page-ca), or "
        "issue another certificate"));
    return;
  }
  CertificateFacts own = seen->chain.front();
  own.authority = false;  // a self-signed one often says so; nothing else depends on it
  findings.push_back(judge_validity(fmt::format("{} over {}", peer.name, seen->protocol), own, context.host.wall_ns()));
  for (size_t i = 1; i < seen->chain.size(); ++i) {
    Finding above = judge_validity(peer.name + ", its CA", seen->chain[i], context.host.wall_ns());
    if (above.verdict != Verdict::kOk) findings.push_back(std::move(above));
  }
}

Findings run(const Context& context) {
  Findings findings;
  for (const Peer& peer : peers_of(context.setup)) look_at(context, peer, findings);
  if (findings.empty()) findings.push_back(skipped("no peer uses TLS"));
  return findings;
}

}  // namespace

const Check kPeerCertificatesCheck = {"peer-certificates", "certificates that peers present: chain, name, days left",
                                      run};

}  // namespace monitor::doctor
