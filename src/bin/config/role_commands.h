// monitor-config init-roles: least-privilege users and roles in etcd, for agents, authors and readers.
#pragma once

#include <string>
#include <vector>

#include "base/disk.h"
#include "bin/config/context.h"
#include "config/etcd/etcd_client.h"

namespace monitor {

struct RoleFlags {
  std::vector<std::string> agents;  // empty: all agents known to etcd
  std::string config_key;           // own key of a single agent, if not the default
  std::string passwords;            // folder with a file for each user
  bool client_certificates = false;
  bool enable_auth = false;
};

int run_init_roles(const ConfigContext& context, config::EtcdClient& client, FileDisk& disk, const RoleFlags& flags);

}  // namespace monitor
