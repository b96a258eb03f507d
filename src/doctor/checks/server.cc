// Checks whether the servers accept this host's agent.
#include <fmt/format.h>

#include <algorithm>

#include "doctor/checks.h"

namespace monitor::doctor {

namespace {

std::string remedy_for(const Error& error, const Setup& setup) {
  if (error.code() == Code::kUnauthenticated || error.code() == Code::kPermissionDenied) {
    return "the server refuses this client: give the agent's own --tls-cert and --tls-key, and look at the server's "
           "log";
  }
  if (error.message().find("ertificate") != std::string::npos || error.message().find("TLS") != std::string::npos) {
    return "see the check peer-certificates; --tls-ca names the CA of the server's certificate";
  }
  const std::string tls = setup.server_tls.used() ? "" : "; a server with TLS needs --tls-ca here";
  return "start monitor-server there, or correct --server. A server listens on loopback until --listen opens it to "
         "other hosts, and a firewall must let its port through" +
         tls;
}

Findings run(const Context& context) {
  Findings findings;
  for (const HostPort& address : context.setup.servers) {
    const std::string name = "server " + address.to_string();
    const auto sight = context.peers.server(address, context.setup.server_tls, context.timeout_ns);
    if (!sight) {
      findings.push_back(
          fail(fmt::format("{}: {}", name, sight.error().message()), remedy_for(sight.error(), context.setup)));
    } else if (!sight->serving) {
      findings.push_back(fail(name + " answers, but does not serve: it is starting or stopping",
                              "wait until it has started; its log and /readyz say why it does not serve"));
    } else {
      findings.push_back(ok(fmt::format("{} serves{}", name, context.setup.server_tls.used() ? ", with TLS" : "")));
    }
  }
  // An agent needs one server; those that are down matter when the last one fails.
  if (std::ranges::any_of(findings, [](const Finding& one) { return one.verdict == Verdict::kOk; })) {
    for (Finding& one : findings) one.verdict = std::min(one.verdict, Verdict::kWarn);
  }
  if (findings.empty()) findings.push_back(skipped("no server is named: --server HOST:PORT"));
  return findings;
}

}  // namespace

const Check kServerCheck = {"server", "the servers accept connections and serve", run};

}  // namespace monitor::doctor
