// Who may do what with the keys below /monitor/, as roles of etcd: an agent, an author of configuration, a reader.
// Each may do what its programs need, and no more. (etcd before 3.5.33 does not hold watchers to it:
// GHSA-xg4h-6gfc-h4m8.)
//
// Thread contract: plain functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace monitor::config {

struct KeyPermission {
  std::string key;
  std::string end;     // before which; empty: the key alone
  bool write = false;  // as well as read

  bool operator==(const KeyPermission&) const = default;
};

struct KeyRole {
  std::string name;
  std::vector<KeyPermission> permissions;  // they add up
};

// monitor-agent-<id>: reads its layers and scripts; writes its status and its line of the inventory. `config_key`: its
// own document where it is not /monitor/config/<id> (--config-key).
KeyRole agent_role(std::string_view agent_id, std::string_view config_key = {});
// monitor-author: reads everything below /monitor/, writes all but what agents say of themselves. The inventory is an
// exception: to forget an agent is to replace its entry.
KeyRole author_role();
// monitor-reader: reads everything below /monitor/.
KeyRole reader_role();

// For people: "/monitor/groups/* /monitor/defaults", of those that may be written or not.
std::string describe_keys(const KeyRole& role, bool written);

// What has to be taken and given so that a role with `has` becomes as it should be.
struct RoleChange {
  std::vector<KeyPermission> revoke;
  std::vector<KeyPermission> grant;
  bool empty() const { return revoke.empty() && grant.empty(); }
};
RoleChange change_of(const std::vector<KeyPermission>& has, const KeyRole& role);

}  // namespace monitor::config
