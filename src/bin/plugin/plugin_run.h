// PluginRun: runs a plugin file in a host, as an agent would, for `monitor plugin test` and `inspect`.
#pragma once

#include <memory>
#include <string>

#include "base/event_loop.h"
#include "plugins/hosted/host_process.h"
#include "plugins/hosted/hosted_plugin.h"

namespace monitor {

class PluginRun final : private agent::HostLinks {
 public:
  explicit PluginRun(EventLoop& loop) : loop_(loop) {}
  ~PluginRun() override;

  // Starts the plugin. Returns the error, if any. `python_class` as in entry_of_file().
  Status start(const std::string& file, const std::string& python_class, const std::string& config,
               metrics::SeriesTable& table);
  // Runs a tick and waits for the outcome; `tick` then holds the remaining points.
  agent::HostedPlugin::Outcome run(metrics::Tick& tick, int64_t& took_ns);
  // Peak memory of the host, in bytes.
  uint64_t peak_memory() const;
  const agent::HostedPlugin& plugin() const { return *plugin_; }

 private:
  Result<std::shared_ptr<agent::HostLink>> link_for(config::PluginKind kind, const std::string& name) override;

  EventLoop& loop_;
  ThreadWorker worker_{loop_};
  std::vector<std::shared_ptr<agent::HostProcess>> processes_;
  std::unique_ptr<agent::HostedPlugin> plugin_;
};

// "native" for NAME.so, "script" for NAME.lua, "python" for NAME.py; nothing for another name. `python_class`: the
// class in NAME.py; empty: the only one.
Result<config::PluginEntry> entry_of_file(const std::string& file, const std::string& python_class,
                                          const std::string& config);

}  // namespace monitor
