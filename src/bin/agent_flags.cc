#include "bin/agent_flags.h"

#include <fmt/format.h>
#include <unistd.h>

#include <optional>

#include "base/log.h"
#include "base/text.h"
#include "config/keys.h"
#include "telemetry/http/http_server.h"

namespace monitor {

void declare_agent(Cli& cli, AgentFlags& flags) {
  CLI::App& app = cli.app();
  app.add_option("--agent-id", flags.agent_id,
                 "Id of this agent: 1 to 128 of [A-Za-z0-9._-] (default: the host's name)")
      ->type_name("ID");
  app.add_option("--server", flags.server, "Server to send to: HOST:PORT, several separated by commas")
      ->type_name("HOST:PORT,...");
  add_output_options(app, flags.output);
  auto* const file = app.add_option("--config", flags.config_file, "Read the agent's own configuration from this file")
                         ->type_name("FILE");
  app.add_option("--config-dir", flags.config_dir,
                 "Read the configuration from files in this folder: config/<agent-id>.json, defaults.json, "
                 "groups/<group>.json")
      ->type_name("DIR")
      ->excludes(file);
  app.add_option("--config-key", flags.config_key,
                 "Key of the agent's own configuration (default: " + config::agent_key("<agent-id>") + ")")
      ->type_name("KEY");
  add_etcd_options(app, flags.etcd);
  app.add_option("--group", flags.groups,
                 "Group of this agent; may be repeated. Later groups override earlier ones, the agent's own document "
                 "overrides all")
      ->type_name("GROUP");
  app.add_option("--procfs", flags.roots.procfs, "Mount point of procfs")->type_name("DIR");
  app.add_option("--sysfs", flags.roots.sysfs, "Mount point of sysfs")->type_name("DIR");
  app.add_option("--rootfs", flags.roots.rootfs,
                 "Host's root filesystem inside a container; prepended to mount points of a host's --procfs "
                 "(default: the folder of --procfs without its /proc)")
      ->type_name("DIR");
  add_optional_value(app, "--simulate", flags.simulate,
                     "Generate realistic values instead of reading the host: --simulate or --simulate=SEED")
      ->type_name("[SEED]");
  app.add_flag("--once", flags.once, "Read twice, one second (or a shorter interval) apart, print the values and exit");
  app.add_flag("--trace-plugins", flags.trace_plugins, "With --once: print the tick before and after every plugin")
      ->needs(app.get_option("--once"));
  app.add_flag(
         "--list-metrics", flags.list_metrics,
         "Read every source twice, print which metrics this host offers, what a tick of each selector costs, and what "
         "is missing and why, and exit")
      ->excludes(app.get_option("--once"));
  app.add_option("--format", flags.format, "Output of --once and --list-metrics: table or json")
      ->check(CLI::IsMember({"table", "json"}));
  add_spool_options(app, flags.spool);
  app.add_option("--encoding", flags.encoding,
                 "Version of the payload in which batches are made: v2, which an older server gets as v1, or v1 before "
                 "a downgrade of this program")
      ->check(CLI::IsMember({"v1", "v2"}));
  app.add_option("--plugin-dir", flags.plugin_dir,
                 "Folder of plugins, NAME.so and NAME.lua; watched for changes (default: <data>/plugins)")
      ->type_name("DIR");
  app.add_option("--http", flags.http, "Serve /metrics, /healthz and /readyz on ADDR:PORT, or off")
      ->type_name("ADDR:PORT|off");
  cli.add_data_option();
  cli.add_drain_option();
}

std::string resolve_agent_addresses(const Cli& cli, AgentFlags& flags) {
  if (!cli.data_named()) return "";
  const auto running = cli.running();
  if (!running) return running.error().message();
  const RunningSystem* const system = *running;
  if (cli.app().get_option("--server")->count() == 0 && system != nullptr && !system->server.empty()) {
    flags.server = system->server;
    log_info("`monitor up` is running; using its server", {{"server", flags.server}, {"process", system->pid}});
  }
  // A folder that an option names is not checked here, because it may be on a mount that hangs.
  if (!flags.config_dir.empty() || flags.etcd.mentioned()) return "";
  const std::string folder = config_folder_of(cli.data_folder());
  if (!flags.config_file.empty() || (system == nullptr && access(folder.c_str(), F_OK) != 0)) return "";
  return resolve_configuration(cli, flags.etcd, flags.config_dir);
}

std::string check_agent_flags(AgentFlags& flags, std::vector<HostPort>& servers, uint64_t& seed) {
  if (flags.agent_id.empty()) {
    const HostId host = host_id();
    flags.agent_id = host.id;
    if (host.id.empty() && flags.once) flags.agent_id = "agent";  // the id is only printed, so any will do
    if (flags.agent_id.empty()) return fmt::format("--agent-id: {}; set an id with --agent-id", host.warning);
    if (!host.warning.empty() && !flags.once) {
      log_warning("agent id is derived from the host's name",
                  {{"agent", host.id}, {"reason", host.warning}, {"next", "set --agent-id for each agent"}});
    }
  }
  if (!valid_name(flags.agent_id)) {
    return fmt::format("--agent-id: got {}, expected 1 to 128 of [A-Za-z0-9._-]",
                       json_quote(flags.agent_id.substr(0, 160)));
  }
  if (!flags.roots.rootfs.empty() && !flags.roots.rootfs.starts_with('/')) {
    return fmt::format("--rootfs: got {}, expected an absolute path", json_quote(flags.roots.rootfs));
  }
  for (const std::string& group : flags.groups) {
    if (!valid_name(group))
      return fmt::format("--group: got {}, expected 1 to 128 of [A-Za-z0-9._-]", json_quote(group));
  }
  if (!flags.config_key.empty()) {
    if (const Status valid = config::check_key(flags.config_key); !valid) {
      return "--config-key: " + valid.error().message();
    }
  }
  const bool files = !flags.config_file.empty() || !flags.config_dir.empty();
  if (files && flags.etcd.named()) return "--config and --config-dir exclude --etcd; use one of them";
  if (std::string fault = check_etcd_flags(flags.etcd); !fault.empty()) return fault;
  if (std::string fault = check_spool_flags(flags.spool); !fault.empty()) return fault;
  if (std::string fault = check_output_flags(flags.output); !fault.empty()) return fault;
  for (const std::string_view part : split(flags.server, ',')) {
    auto target = parse_host_port(std::string(trim(part)), 50051);
    if (!target) return "--server: " + target.error().message();
    servers.push_back(*target);
  }
  if (flags.http != "off") {
    if (const auto address = telemetry::parse_http_address(flags.http); !address) {
      return "--http: " + address.error().message();
    }
  }
  const auto parsed = flags.simulate.text.empty() ? std::optional<uint64_t>(1) : parse_u64(flags.simulate.text);
  if (!parsed) return fmt::format("--simulate: got {}, expected a number", json_quote(flags.simulate.text));
  seed = *parsed;
  return "";
}

}  // namespace monitor
