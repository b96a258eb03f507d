// Checks whether the programs of this host, the servers and the agents have one version.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "doctor/checks.h"

namespace monitor::doctor {

namespace {

constexpr size_t kMostNames = 5;

std::string some_of(const std::set<std::string>& names) {
  std::vector<std::string> first;
  for (const std::string& name : names) {
    if (first.size() == kMostNames) break;
    first.push_back(name);
  }
  const std::string text = join(first, ", ");
  return names.size() > kMostNames ? fmt::format("{} and {} more", text, names.size() - kMostNames) : text;
}

// version -> who has it
using Versions = std::map<std::string, std::set<std::string>>;

void add_agents(const Context& context, Versions& versions) {
  const auto keys = context.peers.configuration(context.timeout_ns);
  if (!keys) return;  // the check etcd reports it
  for (const auto& [key, value] : *keys) {
    constexpr std::string_view kStatus = "/status/";
    const size_t at = key.find(kStatus);
    if (at == std::string::npos) continue;
    const auto json = nlohmann::json::parse(value, nullptr, false);
    if (!json.is_object() || !json.contains("version") || !json["version"].is_string()) continue;
    versions[json["version"].get<std::string>()].insert("agent " + key.substr(at + kStatus.size()));
  }
}

Findings run(const Context& context) {
  Findings findings;
  Versions versions;
  for (const ProgramSight& one : context.host.programs(context.setup.program_folder, context.timeout_ns)) {
    const std::string who = one.pid == 0 ? one.name : fmt::format("{} (process {})", one.name, one.pid);
    if (one.replaced) {
      findings.push_back(warn(fmt::format("{} runs a file that has been replaced since: {}", who, one.path),
                              "restart it: `systemctl restart " + one.name + "`"));
    }
    if (one.version.empty()) {
      findings.push_back(warn(fmt::format("{} does not say its version: {}", who, one.path),
                              "reinstall it; it may be damaged or of another build"));
    } else {
      versions[one.version].insert(who);
    }
  }
  for (const HostPort& address : context.setup.servers) {
    const auto sight = context.peers.server(address, context.setup.server_tls, context.timeout_ns);
    if (sight && !sight->version.empty()) versions[sight->version].insert("server " + address.to_string());
  }
  add_agents(context, versions);
  if (versions.size() == 1) {
    findings.push_back(ok(fmt::format("{} for {}", versions.begin()->first, some_of(versions.begin()->second))));
  } else if (versions.size() > 1) {
    std::string text = "versions differ: ";
    for (const auto& [version, who] : versions) text += fmt::format("{} ({}); ", version, some_of(who));
    text.resize(text.size() - 2);
    findings.push_back(warn(text, "upgrade servers first, then agents; different versions work together meanwhile"));
  }
  return findings;
}

}  // namespace

const Check kVersionsCheck = {"versions", "versions of the programs, of running processes, of servers and agents", run};

}  // namespace monitor::doctor
