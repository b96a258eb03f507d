// etcd roles for the keys of the configuration: an agent, an author of configuration, a reader. Each role grants
// exactly what its programs need. (etcd before 3.5.33 does not enforce permissions on watches: GHSA-xg4h-6gfc-h4m8.)
//
// Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace monitor::config {

struct KeyPermission {
  std::string key;
  std::string end;     // exclusive; empty: only `key`
  bool write = false;  // may also write

  bool operator==(const KeyPermission&) const = default;
};

struct KeyRole {
  std::string name;
  std::vector<KeyPermission> permissions;  // cumulative
};

// monitor-agent-<id>: reads its layers and scripts, and writes its status and inventory entry. `config_key` is the
// agent's own document if --config-key names another one than /monitor/config/<id>.
KeyRole agent_role(std::string_view agent_id, std::string_view config_key = {});
// monitor-author: reads all keys, and writes all except statuses. It may write the inventory, because forgetting an
// agent replaces the agent's entry.
KeyRole author_role();
// monitor-reader: reads all keys.
KeyRole reader_role();

// The keys with or without write permission, for messages: "/monitor/groups/* /monitor/defaults".
std::string describe_keys(const KeyRole& role, bool written);

// The changes that turn the permissions `has` into those of `role`.
struct RoleChange {
  std::vector<KeyPermission> revoke;
  std::vector<KeyPermission> grant;
  bool empty() const { return revoke.empty() && grant.empty(); }
};
RoleChange change_of(const std::vector<KeyPermission>& has, const KeyRole& role);

}  // namespace monitor::config
