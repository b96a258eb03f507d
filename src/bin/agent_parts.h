// Parts that `monitor-agent --once` and the running agent make in the same way from the options.
//
// For the start of the program, on one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "agent/agent.h"
#include "base/clock.h"
#include "base/result.h"
#include "bin/agent_config.h"
#include "bin/agent_flags.h"
#include "config/file/file_source.h"

namespace monitor {

// The folder of plugins: --plugin-dir, else below the data folder.
std::string agent_plugin_folder(const AgentFlags& flags, const std::string& data);
// The folder of configuration files: --config-dir, else below the data folder.
std::string agent_config_folder(const AgentFlags& flags, const std::string& data);

// `own_folder` is the agent's folder, where it saves what it has read; empty: saves nothing.
config::FileSourceOptions agent_config_files(const AgentFlags& flags, const std::string& data,
                                             const std::string& own_folder);
AgentConfigOptions agent_config_options(const AgentFlags& flags, bool etcd, config::FileSourceOptions files);

// Logs why there is no connection to etcd. Returns the exit status.
int report_no_etcd(const Error& reason);

// The host's metrics, or with --simulate made-up ones. Table and clock must outlive the source.
std::unique_ptr<agent::TickSource> make_tick_source(const AgentFlags& flags, uint64_t seed, metrics::SeriesTable& table,
                                                    const Clock& clock);

}  // namespace monitor
