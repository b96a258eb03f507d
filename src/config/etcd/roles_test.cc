// What an agent, an author and a reader may do, and how a role with other permissions is corrected.
#include "config/etcd/roles.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace monitor::config {
namespace {

enum class May { kNothing, kRead, kWrite };

May may(const KeyRole& role, const std::string& key) {
  May result = May::kNothing;
  for (const KeyPermission& one : role.permissions) {
    const bool within = one.end.empty() ? key == one.key : key >= one.key && key < one.end;
    if (within) result = std::max(result, one.write ? May::kWrite : May::kRead);
  }
  return result;
}

TEST(Roles, AgentReadsItsLayersAndWritesItsStatus) {
  const KeyRole role = agent_role("web-1");
  EXPECT_EQ(role.name, "monitor-agent-web-1");
  for (const char* const key :
       {"/monitor/defaults", "/monitor/groups/web", "/monitor/config/web-1", "/monitor/overrides/agents/web-1/manual",
        "/monitor/overrides/groups/web/night", "/monitor/overrides/all/quiet", "/monitor/plugins/my.lua"}) {
    EXPECT_EQ(may(role, key), May::kRead) << key;
  }
  EXPECT_EQ(may(role, "/monitor/status/web-1"), May::kWrite);
  EXPECT_EQ(may(role, "/monitor/inventory/web-1"), May::kWrite);
  for (const char* const key :
       {"/monitor/config/web-2", "/monitor/config/web-10", "/monitor/status/web-2", "/monitor/status/web-10",
        "/monitor/overrides/agents/web-10/manual", "/monitor/unknown/x", "/elsewhere"}) {
    EXPECT_EQ(may(role, key), May::kNothing) << key;
  }
}

TEST(Roles, AgentWithAnotherConfigKeyReadsThatKey) {
  const KeyRole role = agent_role("web-1", "/elsewhere/mine");
  EXPECT_EQ(may(role, "/elsewhere/mine"), May::kRead);
  EXPECT_EQ(may(role, "/monitor/config/web-1"), May::kNothing);
}

TEST(Roles, AuthorWritesDocumentsButNoStatus) {
  const KeyRole role = author_role();
  for (const char* const key :
       {"/monitor/defaults", "/monitor/groups/web", "/monitor/config/web-1", "/monitor/overrides/agents/web-1/manual",
        "/monitor/plugins/x", "/monitor/inventory/web-1", "/monitor/rules/x", "/monitor/leases/notifier",
        "/monitor/notifications/7", "/monitor/silences/1cc3ce9d1ea53472"}) {
    EXPECT_EQ(may(role, key), May::kWrite) << key;
  }
  EXPECT_EQ(may(role, "/monitor/unknown/x"), May::kRead) << "an author may write only known folders";
  EXPECT_EQ(may(role, "/monitor/status/web-1"), May::kRead);
  EXPECT_EQ(may(role, "/elsewhere"), May::kNothing);
}

TEST(Roles, ReaderReadsEverything) {
  const KeyRole role = reader_role();
  EXPECT_EQ(may(role, "/monitor/status/web-1"), May::kRead);
  EXPECT_EQ(may(role, "/monitor0"), May::kNothing);
  EXPECT_EQ(describe_keys(role, false), "/monitor/* /monitor-history/*");
  EXPECT_EQ(describe_keys(role, true), "");
}

TEST(Roles, ChangesOnlyDifferentPermissions) {
  const KeyRole role{"r", {{"/a", "", false}, {"/b/", "/b0", true}}};
  EXPECT_TRUE(change_of(role.permissions, role).empty());
  const RoleChange all = change_of({}, role);
  EXPECT_TRUE(all.revoke.empty());
  EXPECT_EQ(all.grant, role.permissions);
  // The permissions for one key are too high, those for another end elsewhere, and a third does not belong to the role.
  const RoleChange some = change_of({{"/a", "", true}, {"/b/", "/c", true}, {"/z", "", false}}, role);
  EXPECT_EQ(some.revoke, (std::vector<KeyPermission>{{"/b/", "/c", true}, {"/z", "", false}}));
  EXPECT_EQ(some.grant, role.permissions);
}

}  // namespace
}  // namespace monitor::config
