// Checks whether etcd answers, is healthy, and lets these credentials read the configuration.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

#include "base/counted.h"
#include "base/text.h"
#include "doctor/checks.h"

namespace monitor::doctor {

namespace {

constexpr const char* kUnreachable =
    "start etcd there, or correct --etcd; a firewall must let its port through. An etcd with TLS needs --etcd-ca, and "
    "with client certificates --etcd-cert and --etcd-key";

// etcd answers {"health":"true"}, with status 503 and a reason otherwise.
Finding health_of(const Context& context, const HostPort& address) {
  const EtcdSetup& etcd = context.setup.etcd;
  const std::string name = "etcd " + address.to_string();
  const auto answer = context.peers.http({address, "/health", etcd.tls.used(), etcd.tls}, context.timeout_ns);
  if (!answer) return fail(fmt::format("{}: {}", name, answer.error().message()), kUnreachable);
  const auto json = nlohmann::json::parse(answer->body, nullptr, false);
  const bool object = json.is_object() && json.contains("health");
  if (!object) {
    return fail(fmt::format("{} answers {} with status {}, which is not etcd's health", name,
                            json_quote(answer->body.substr(0, 60)), answer->status),
                "another program listens there: correct --etcd");
  }
  const auto& health = json["health"];
  const bool healthy = (health.is_string() && health.get<std::string>() == "true") || health == true;
  if (healthy && answer->status == 200) return ok(name + " is healthy");
  return fail(
      fmt::format("{} is not healthy: {}", name, json_quote(answer->body.substr(0, 120))),
      "look at `etcdctl endpoint status` and `etcdctl alarm list`: it has no leader, or an alarm (NOSPACE) is on");
}

Findings run(const Context& context) {
  Findings findings;
  if (context.setup.etcd.endpoints.empty()) return {skipped("the configuration is not in etcd")};
  for (const HostPort& address : context.setup.etcd.endpoints) findings.push_back(health_of(context, address));
  const bool some = std::ranges::any_of(findings, [](const Finding& one) { return one.verdict == Verdict::kOk; });
  if (!some) return findings;
  for (Finding& one : findings) one.verdict = std::min(one.verdict, Verdict::kWarn);
  const auto keys = context.peers.configuration(context.timeout_ns);
  if (!keys && keys.error().code() == Code::kPermissionDenied) {
    // An agent's role reads its own documents only.
    findings.push_back(ok("etcd accepts these credentials; they may not list all keys"));
  } else if (!keys) {
    findings.push_back(fail("the configuration cannot be read: " + keys.error().message(),
                            "give --etcd-user and --etcd-password-file, or --etcd-cert; `monitor-config init-roles` "
                            "creates users with the right roles"));
  } else {
    findings.push_back(ok(fmt::format("the configuration can be read: {}", counted(keys->size(), "key"))));
  }
  return findings;
}

}  // namespace

const Check kEtcdCheck = {"etcd", "etcd answers, is healthy, and lets the credentials read the configuration", run};

}  // namespace monitor::doctor
