// The agent's configuration: where it comes from as the flags say (files or etcd), and the agent's status and
// inventory there. Wiring only; everything on the loop's thread. Loop, disk, worker and applier must outlive it.
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
  bool status = true;  // is told to etcd
  EtcdFlags etcd_flags;
  config::FileSourceOptions files;  // without etcd
};

class AgentConfig {
 public:
  // Errors: files that etcd's options name and that cannot be read.
  static Result<std::unique_ptr<AgentConfig>> make(EventLoop& loop, Disk& disk, Worker& worker,
                                                   AgentConfigOptions options);

  config::ConfigSource& source();
  // A start waits for etcd, or for files on a mount that hangs, only for a moment: then the engine starts without.
  // `plugins` is asked for every report: it says how they fare, and what there is.
  void start(config::ConfigEngine& engine, config::Reporter::Fill plugins);
  void rescan();
  // What the status says has changed.
  void changed();
  // Takes the status away, and notes in the inventory whether the agent stopped with nothing unsent; calls back within
  // a second.
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
