#include "config/etcd/roles.h"

#include <algorithm>
#include <string>

#include "config/etcd/messages.h"
#include "config/keys.h"

namespace monitor::config {

namespace {

KeyPermission one(const std::string& key, bool write = false) { return {key, "", write}; }
KeyPermission all(const std::string& prefix, bool write = false) { return {prefix, prefix_end(prefix), write}; }

bool holds(const std::vector<KeyPermission>& list, const KeyPermission& permission) {
  return std::find(list.begin(), list.end(), permission) != list.end();
}

}  // namespace

KeyRole agent_role(std::string_view agent_id, std::string_view config_key) {
  const std::string id(agent_id);
  return {
      "monitor-agent-" + id,
      {one(defaults_key()), all(group_key("")), one(config_key.empty() ? agent_key(agent_id) : std::string(config_key)),
       all(shared_overrides()), all(agent_overrides(agent_id)), all(all_group_overrides()),
       all(std::string(kPluginsRoot)), one(status_key(agent_id), true), one(inventory_key(agent_id), true)}};
}

KeyRole author_role() {
  KeyRole role{"monitor-author", {}};
  for (const std::string& prefix :
       {agent_key(""), group_key(""), inventory_key(""), std::string(kOverridesRoot), std::string(kPluginsRoot),
        std::string(kRulesRoot), std::string(kRolloutsRoot), std::string(kHistoryRoot)}) {
    role.permissions.push_back(all(prefix, true));
  }
  role.permissions.push_back(one(defaults_key(), true));
  role.permissions.push_back(one(notifier_key(), true));
  role.permissions.push_back(all(std::string(kNotificationsRoot), true));
  role.permissions.push_back(all(std::string(kSilencesRoot), true));
  role.permissions.push_back(all(std::string(kKeyRoot)));
  return role;
}

KeyRole reader_role() { return {"monitor-reader", {all(std::string(kKeyRoot)), all(std::string(kHistoryRoot))}}; }

std::string describe_keys(const KeyRole& role, bool written) {
  std::string text;
  for (const KeyPermission& permission : role.permissions) {
    if (permission.write != written) continue;
    text += (text.empty() ? "" : " ") + permission.key + (permission.end.empty() ? "" : "*");
  }
  return text;
}

RoleChange change_of(const std::vector<KeyPermission>& has, const KeyRole& role) {
  RoleChange change;
  const auto same_keys = [](const KeyPermission& a, const KeyPermission& b) {
    return a.key == b.key && a.end == b.end;
  };
  for (const KeyPermission& permission : has) {
    const bool wanted = std::any_of(role.permissions.begin(), role.permissions.end(),
                                    [&](const KeyPermission& want) { return same_keys(want, permission); });
    if (!wanted) change.revoke.push_back(permission);
  }
  // Granting another kind of access for the same keys replaces the previous one.
  for (const KeyPermission& want : role.permissions) {
    if (!holds(has, want)) change.grant.push_back(want);
  }
  return change;
}

}  // namespace monitor::config
