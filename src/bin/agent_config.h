// The agent's configuration: where it comes from as the flags say (files or etcd), and with etcd the agent's status
// there. Wiring only; everything on the loop's thread. Loop, disk and applier must outlive it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/disk.h"
#include "base/event_loop.h"
#include "bin/common/etcd_flags.h"
#include "config/engine.h"
#include "config/etcd/etcd_source.h"
#include "config/etcd/presence.h"
#include "config/file/file_source.h"

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

class AgentConfig final : public config::Applier {
 public:
  // `applier` does the work. Errors: files that etcd's options name and that cannot be read.
  static Result<std::unique_ptr<AgentConfig>> make(EventLoop& loop, Disk& disk, AgentConfigOptions options,
                                                   config::Applier& applier);

  config::ConfigSource& source();
  // With etcd, a start does not wait for it: after a moment the engine starts without.
  void start(config::ConfigEngine& engine);
  void rescan();
  // Takes the status out of etcd; calls back within a second.
  void stop(std::function<void()> done);

  // Hands on, and tells etcd what is applied.
  std::optional<config::Problem> apply(const config::Settings& settings, int64_t revision) override;

 private:
  AgentConfig(EventLoop& loop, AgentConfigOptions options, config::Applier& applier);

  EventLoop& loop_;
  AgentConfigOptions options_;
  config::Applier& applier_;
  int64_t since_ns_;
  std::unique_ptr<config::FileSource> files_;
  std::unique_ptr<EtcdConnection> etcd_;
  std::unique_ptr<config::EtcdSource> etcd_source_;
  std::unique_ptr<config::Presence> presence_;
};

}  // namespace monitor
