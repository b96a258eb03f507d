// PluginHosts: the plugins that an agent can run: built-in ones, and those of the plugin folder, in hosts. It validates
// configurations, and starts the plugins of a new configuration while the old ones run. If a file changes, or a plugin
// has started, it reports that the configuration must be evaluated again.
//
// Loop's thread only; loop and table must outlive it. Without hosted plugins, it starts no process and no thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/worker.h"
#include "config/validate.h"
#include "plugins/hosted/host_process.h"
#include "plugins/hosted/hosted_plugins.h"
#include "plugins/hosted/plugin_folder.h"

namespace monitor::agent {

// The path of the monitor-plugin-host of this program.
std::string plugin_host_program();
// The host of plugins in Python: beside that of other plugins.
std::string python_host_of(const std::string& host_program);
// Why Python plugins cannot run with this program; empty: they can.
std::string python_host_fault(const std::string& program);
// The path for a program in `folder`: in the same folder, as in a build, or in ../libexec/monitor, where it is
// installed.
std::string plugin_host_near(const std::string& folder);

class PluginHosts final : public config::PluginCatalog, public HostedPlugins, private HostLinks {
 public:
  PluginHosts(EventLoop& loop, metrics::SeriesTable& table, std::string folder, std::string program);
  ~PluginHosts() override;

  // The id of this agent, which plugins in Python are told.
  void set_agent_id(std::string id) { agent_id_ = std::move(id); }
  // Starts to watch the folder. `on_change` is called on the loop's thread.
  void watch(std::function<void()> on_change);

  std::vector<std::string> plugin_names() const override;
  std::vector<std::string> names_in_folder() const;
  std::optional<config::Problem> check_plugin(const std::string& name, const std::string& config) const override;
  Result<config::PluginCode> code_of(const std::string& name) const override;
  bool is_python_class(const std::string& name) const override;

  Made make(const std::vector<config::PluginEntry>& entries) override;

 private:
  Result<std::shared_ptr<HostLink>> link_for(config::PluginKind kind, const std::string& name) override;
  std::string agent_id() const override { return agent_id_; }
  void tell_later();
  void retry_later();
  void sweep();

  EventLoop& loop_;
  metrics::SeriesTable& table_;
  PluginFolder folder_;
  std::string program_;
  std::string agent_id_;
  std::function<void()> on_change_;
  ThreadWorker starter_{loop_};
  std::vector<std::shared_ptr<HostProcess>> processes_;  // until they have ended
  std::shared_ptr<HostProcess> scripts_;
  std::vector<std::shared_ptr<HostedPlugin>> prepared_;  // starting, or started but not yet used
  Timers::TimerId tell_timer_ = 0;
  Timers::TimerId retry_timer_ = 0;
  Timers::TimerId sweep_timer_ = 0;
  int64_t retry_after_ns_ = 0;
};

}  // namespace monitor::agent
