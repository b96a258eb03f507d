#include "bin/agent_parts.h"

#include <utility>

#include "base/log.h"
#include "bin/common/cli.h"
#include "config/keys.h"
#include "inputs/proc/host_source.h"
#include "inputs/proc/probe_process.h"
#include "inputs/simulated/simulated.h"

namespace monitor {

namespace {

std::string own_key(const AgentFlags& flags) {
  return flags.config_key.empty() ? config::agent_key(flags.agent_id) : flags.config_key;
}

}  // namespace

std::string agent_plugin_folder(const AgentFlags& flags, const std::string& data) {
  return flags.plugin_dir.empty() ? data + "/plugins" : flags.plugin_dir;
}

std::string agent_config_folder(const AgentFlags& flags, const std::string& data) {
  return flags.config_dir.empty() ? config_folder_of(data) : flags.config_dir;
}

config::FileSourceOptions agent_config_files(const AgentFlags& flags, const std::string& data,
                                             const std::string& own_folder) {
  config::FileSourceOptions options;
  options.folder = agent_config_folder(flags, data);
  if (!flags.config_file.empty()) options.files[own_key(flags)] = flags.config_file;
  if (!own_folder.empty()) options.state_file = own_folder + "/state.json";
  return options;
}

AgentConfigOptions agent_config_options(const AgentFlags& flags, bool etcd, config::FileSourceOptions files) {
  AgentConfigOptions options;
  options.agent_id = flags.agent_id;
  options.host = host_name();
  options.version = version();
  options.etcd = etcd;
  options.etcd_flags = flags.etcd;
  options.files = std::move(files);
  return options;
}

int report_no_etcd(const Error& reason) {
  log_error("cannot set up the connection to etcd", {{"reason", reason}});
  return kExitIo;
}

std::unique_ptr<agent::TickSource> make_tick_source(const AgentFlags& flags, uint64_t seed, metrics::SeriesTable& table,
                                                    const Clock& clock) {
  if (flags.simulate.given()) return std::make_unique<agent::SimulatedSource>(seed, table);
  auto host = std::make_unique<agent::HostSource>(flags.roots, table, clock, agent::probe_mount_apart);
  if (flags.once) host->set_patience(kNanosPerSecond);
  return host;
}

}  // namespace monitor
