// The configuration store for programs that read the log: files, or an etcd client with its own loop.
#pragma once

#include <memory>
#include <string>

#include "base/disk.h"
#include "base/result.h"
#include "bin/common/etcd_flags.h"
#include "config/etcd/blocking_etcd_client.h"
#include "config/store.h"

namespace monitor {

// Uses files if `dir` names a folder. The store belongs to the calling thread; the disk must outlive it.
Result<std::unique_ptr<config::ConfigStore>> open_config_store(const EtcdFlags& flags, const std::string& dir,
                                                               Disk& disk, config::BlockingEtcdOptions options = {});

// The options --dir, --etcd and the like; they exclude each other.
void add_configuration_options(CLI::App& app, EtcdFlags& flags, std::string& dir);

}  // namespace monitor
