// AgentConfig: the agent's configuration source (files or etcd, by its flags), and the publisher of its status and
// inventory. Wiring only.
//
// Thread contract: the loop's thread. Loop, disk, worker and applier must outlive it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/disk.h"
#include "base/event_loop.h"
#include "base/worker.h"
#include "bin/common/etcd_flags.h"
#include "config/engine.h"
#include "config/etcd/etcd_source.h"
#include "config/etcd/etcd_status_publisher.h"
#include "config/file/file_source.h"
#include "config/file/file_status_publisher.h"
#include "config/reporter.h"

namespace monitor {

struct AgentConfigOptions {
  std::string agent_id;
  std::string host;
  std::string version;
  bool etcd = false;
  bool status = true;  // publish a status
  EtcdFlags etcd_flags;
  config::FileSourceOptions files;  // without etcd
  Timers* calm = nullptr;           // for the status, whose time matters little; nullptr: the loop
};

class AgentConfig {
 public:
  // Errors: a file that an etcd option names cannot be read.
  static Result<std::unique_ptr<AgentConfig>> make(EventLoop& loop, Disk& disk, Worker& worker,
                                                   AgentConfigOptions options);

  config::ConfigSource& source();
  // Starts the engine. Waits briefly for etcd, or for files on a mount that hangs; then the engine starts without them.
  // `plugins` is called for every report, to fill in the plugins' state.
  void start(config::ConfigEngine& engine, config::Reporter::Fill plugins);
  void rescan();
  // Call when the status has changed.
  void changed();
  // Deletes the status, and records in the inventory whether the agent stopped with nothing unsent (`stopped`). Calls
  // `done` within a second, also if etcd does not answer.
  void stop(bool stopped, std::function<void()> done);

 private:
  AgentConfig(EventLoop& loop, AgentConfigOptions options);
  void start_reports(config::ConfigEngine& engine, config::Reporter::Fill plugins);

  EventLoop& loop_;
  AgentConfigOptions options_;
  std::unique_ptr<config::FileSource> files_;
  std::unique_ptr<EtcdConnection> etcd_;
  std::unique_ptr<config::EtcdSource> etcd_source_;
  std::unique_ptr<config::StatusPublisher> publisher_;
  std::optional<config::Reporter> reporter_;
};

}  // namespace monitor
