#include "bin/agent_health.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <vector>

#include "base/disk.h"
#include "base/escape.h"
#include "base/text.h"

namespace monitor {

namespace {

// The folders of the agents that may run, and why some cannot be listed; empty: all are.
struct Places {
  std::vector<std::string> folders;
  std::string forbidden;
};

Places places_of(const Cli& cli, const std::string& agent_id) {
  std::vector<std::string> all = {cli.data_folder()};
  if (!cli.data_named() && cli.data_folder() != kServiceData) all.emplace_back(kServiceData);
  Places places;
  for (const std::string& data : all) {
    if (!agent_id.empty()) {
      places.folders.push_back(agent_folder_of(data, agent_id));
      continue;
    }
    PosixDisk disk;
    auto names = disk.list_folder(data + "/agent");
    if (!names && names.error().code() == Code::kPermissionDenied) places.forbidden = names.error().message();
    if (!names) continue;
    std::ranges::sort(*names);
    for (const std::string& name : *names) places.folders.push_back(agent_folder_of(data, name));
  }
  return places;
}

int fail(const Error& error) {
  std::cout << printable(error.message()) << "\n" << std::flush;
  return kExitNegative;
}

}  // namespace

CLI::App* declare_health(CLI::App& app, HealthFlags& flags) {
  CLI::App* const command =
      app.add_subcommand("health", "Ask the agent that runs with --data whether it works; exit with 1 if it does not");
  command->add_flag("--ready", flags.ready, "Also require that it has a configuration, and delivers");
  add_seconds(*command, "--timeout", flags.timeout_ns, "Time limit of the answer")->default_str("5s");
  return command;
}

std::string agent_folder_of(const std::string& data, const std::string& agent_id) {
  return fmt::format("{}/agent/{}", data, agent_id);
}

int run_health(const Cli& cli, const HealthFlags& flags, const std::string& agent_id) {
  if (!agent_id.empty() && !valid_name(agent_id)) {
    return cli.usage_error(
        fmt::format("--agent-id: got {}, expected 1 to 128 of [A-Za-z0-9._-]", json_quote(agent_id.substr(0, 160))));
  }
  if (flags.timeout_ns <= 0) return cli.usage_error("--timeout: expected more than 0s");
  int status = kExitUnavailable;
  auto [folders, forbidden] = places_of(cli, agent_id);
  for (const std::string& folder : folders) {
    const auto health = agent::ask_health(folder, flags.timeout_ns);
    if (!health && health.error().code() == Code::kNotFound) continue;
    if (!health && health.error().code() == Code::kPermissionDenied) {
      forbidden = health.error().message();
      continue;
    }
    if (status == kExitUnavailable) status = kExitOk;
    if (!health) {
      status = fail(health.error());
      continue;
    }
    std::cout << printable(health->status) << "\n" << std::flush;
    if (flags.ready && !health->ready) status = kExitNegative;
  }
  if (status != kExitUnavailable) return status;
  std::cout << printable(forbidden.empty() ? "no agent runs with the data folder " + cli.data_folder() : forbidden)
            << "\n"
            << std::flush;
  return status;
}

}  // namespace monitor
