// The state of the fleet, computed from keys.
#include "config/fleet.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "config/source.h"

namespace monitor::config {
namespace {

constexpr int64_t kNow = 1'700'000'000 * kNanosPerSecond;

struct Fleet {
  void put(const std::string& key, const std::string& value, int64_t revision) { keys[key] = {value, revision}; }
  void agent(const std::string& id, int64_t applied, const std::string& error = "",
             const std::vector<std::string>& groups = {}) {
    AgentStatus status;
    status.version = "0.2.0";
    status.host = "h";
    status.updated_ns = kNow - kNanosPerSecond;
    status.applied = applied;
    status.desired = applied;
    status.error = error;
    status.groups = groups;
    put(status_key(id), to_json(status), 1000);
    inventory(id, groups);
  }
  void inventory(const std::string& id, const std::vector<std::string>& groups) {
    put(inventory_key(id), to_json(AgentInventory{"h", groups, "0.2.0", kNow - 60 * kNanosPerSecond}), 1001);
  }
  FleetRow row(const std::string& id) const { return row_of(keys, id, kNow, std::nullopt).value(); }
  StoredKeys keys;
};

TEST(Fleet, EveryStateByRevision) {
  Fleet f;
  f.put("/monitor/defaults", R"({"interval": 5})", 10);
  f.put("/monitor/groups/web", R"({"interval": 6})", 20);
  f.put("/monitor/config/b", R"({"groups": ["web"]})", 12);
  f.agent("a", 15);
  f.agent("b", 15);
  f.agent("c", 25, "", {"web"});
  f.agent("d", 9, "", {});
  f.agent("e", 25, "/interval: must be", {"web"});
  f.inventory("f", {"web"});
  EXPECT_EQ(f.row("a").state, AgentState::kApplied);
  EXPECT_EQ(f.row("b").state, AgentState::kPending) << "its own document lists the group";
  EXPECT_EQ(f.row("b").behind(), 5);
  EXPECT_EQ(f.row("c").state, AgentState::kApplied);
  EXPECT_EQ(f.row("d").state, AgentState::kPending);
  EXPECT_EQ(f.row("e").state, AgentState::kFailed);
  EXPECT_EQ(f.row("f").state, AgentState::kGone);
  EXPECT_EQ(f.row("f").seen_ns, kNow - 60 * kNanosPerSecond);
  EXPECT_EQ(fleet_of(f.keys, kNow, std::nullopt).size(), 6U);
  EXPECT_FALSE(row_of(f.keys, "nobody", kNow, std::nullopt));
}

TEST(Fleet, ForgottenAgentHasNoRowUntilItReportsAgain) {
  Fleet f;
  f.inventory("a", {});
  AgentInventory note;
  note.forgotten_ns = kNow;
  f.put(inventory_key("b"), to_json(note), 1002);
  EXPECT_FALSE(row_of(f.keys, "b", kNow, std::nullopt));
  EXPECT_EQ(fleet_of(f.keys, kNow, std::nullopt).size(), 1U);
  const auto forgotten = forgotten_of(f.keys, kNow, std::nullopt);
  ASSERT_EQ(forgotten.size(), 1U);
  EXPECT_EQ(forgotten.at("b"), kNow);
  f.agent("b", 15);
  EXPECT_TRUE(row_of(f.keys, "b", kNow, std::nullopt));
  EXPECT_TRUE(forgotten_of(f.keys, kNow, std::nullopt).empty());
}

// The status of an agent that has read etcd up to `read` and has applied `keys`.
AgentStatus has(const KeySet& keys, int64_t read) {
  AgentStatus status;
  status.updated_ns = kNow;
  status.desired = status.applied = read;
  status.revision = newest_revision(keys);
  status.mark = mark_of(keys);
  return status;
}

TEST(Fleet, AppliedEqualsWantedExactlyWhenStoredDocumentsRun) {
  Fleet f;
  f.put("/monitor/defaults", R"({"interval": 5})", 10);
  f.put("/monitor/config/a", R"({"interval": 6})", 21);
  const auto in_force = [&] {
    KeySet keys;
    for (const auto& [key, stored] : f.keys) {
      if (key != status_key("a")) keys.entries[key] = {stored.value, std::nullopt, stored.revision};
    }
    return keys;
  };
  const KeySet all = in_force();
  f.put(status_key("a"), to_json(has(all, 1433)), 1500);
  EXPECT_EQ(f.row("a").state, AgentState::kApplied);
  EXPECT_EQ(f.row("a").applied, 21) << "not the revision up to which it has read";
  EXPECT_EQ(f.row("a").wanted, 21);
  f.put("/monitor/defaults", R"({"interval": 4})", 1600);
  EXPECT_EQ(f.row("a").state, AgentState::kPending);
  EXPECT_EQ(f.row("a").applied, 21);
  EXPECT_EQ(f.row("a").wanted, 1600);
  f.put(status_key("a"), to_json(has(in_force(), 1650)), 1651);
  EXPECT_EQ(f.row("a").applied, 1600);
  EXPECT_EQ(f.row("a").wanted, 1600);
  // A deletion does not change the newest document.
  f.keys.erase("/monitor/config/a");
  EXPECT_EQ(f.row("a").state, AgentState::kPending);
  EXPECT_NE(f.row("a").applied, f.row("a").wanted);
  f.put(status_key("a"), to_json(has(in_force(), 1700)), 1701);
  EXPECT_EQ(f.row("a").state, AgentState::kApplied);
  EXPECT_EQ(f.row("a").applied, f.row("a").wanted);
  AgentStatus failed = has(in_force(), 1700);
  f.put("/monitor/config/a", "0", 1800);
  failed.desired = 1800;
  failed.error = "wrong";
  f.put(status_key("a"), to_json(failed), 1801);
  EXPECT_EQ(f.row("a").state, AgentState::kFailed);
  EXPECT_EQ(f.row("a").applied, 1600);
  EXPECT_EQ(f.row("a").wanted, 1800);
}

TEST(Fleet, AcceptsAnOwnDocumentUnderAnotherKey) {
  Fleet f;
  f.put("/monitor/defaults", R"({"interval": 5})", 10);
  f.put("/monitor/config/a", R"({"interval": 6})", 12);
  KeySet keys;
  keys.entries["/monitor/defaults"] = {"", std::nullopt, 10};
  keys.entries["/elsewhere"] = {"", std::nullopt, 11};
  AgentStatus status = has(keys, 20);
  status.mark = mark_of(keys, "/elsewhere");
  f.put(status_key("a"), to_json(status), 30);
  EXPECT_EQ(f.row("a").state, AgentState::kApplied);
}

TEST(Fleet, ComparesFilesByContent) {
  Fleet f;
  f.put("/monitor/config/a", R"({"interval": 5})", 0);
  AgentStatus status;
  status.updated_ns = kNow;
  status.hash = document_hash({{"k", 0, Document::parse(R"({"interval":5})").value()}});
  f.put(status_key("a"), to_json(status), 0);
  EXPECT_EQ(f.row("a").state, AgentState::kApplied);
  f.put("/monitor/config/a", R"({"interval": 6})", 0);
  EXPECT_EQ(f.row("a").state, AgentState::kPending);
  EXPECT_EQ(f.row("a").wanted, f.row("a").applied + 1);
  EXPECT_EQ(row_of(f.keys, "a", kNow + 60 * kNanosPerSecond, 30 * kNanosPerSecond), std::nullopt)
      << "the status is old, and nothing else is known about the agent";
}

// An agent that has refused these documents, with the groups of which they are.
AgentStatus refused(const KeySet& keys, const std::vector<std::string>& groups) {
  AgentStatus status;
  status.updated_ns = kNow;
  status.desired = 30;
  status.error = "/interval: must be more";
  status.refused = contents_mark_of(keys);
  status.refused_groups = groups;
  return status;
}

TEST(Fleet, AnErrorCountsOnlyForTheDocumentsThatWereRefused) {
  const std::string own = "/monitor/config/a";
  const std::string group = "/monitor/groups/web";
  for (const int64_t revision : {0, 20}) {  // files, etcd
    Fleet f;
    f.put(own, R"({"groups": ["web"]})", revision);
    f.put(group, R"({"interval": 0})", revision);
    f.put("/monitor/groups/db", R"({"interval": 7})", revision);
    KeySet keys;
    for (const std::string& key : {own, group}) keys.entries[key] = {f.keys[key].value, std::nullopt, revision};
    AgentStatus status = refused(keys, {"web"});
    status.groups = {"db"};  // of its last good document
    f.put(status_key("a"), to_json(status), 0);
    EXPECT_EQ(f.row("a").state, AgentState::kFailed);
    f.put(group, R"({"interval": 3})", revision);
    EXPECT_EQ(f.row("a").state, AgentState::kPending) << "it has not read the new document";
    f.keys.erase(group);
    EXPECT_EQ(f.row("a").state, AgentState::kPending) << "it has not noticed the deletion";
    f.put(group, R"({"interval": 0})", revision);
    EXPECT_EQ(f.row("a").state, AgentState::kFailed);
    f.put("/monitor/defaults", "{}", revision);
    EXPECT_EQ(f.row("a").state, AgentState::kPending) << "a new document may change the result";
    f.keys.erase("/monitor/defaults");
    status.refused.clear();
    f.put(status_key("a"), to_json(status), 0);
    f.put(group, R"({"interval": 3})", revision);
    EXPECT_EQ(f.row("a").state, AgentState::kFailed) << "an older agent does not say what it refused";
  }
}

TEST(Fleet, AnErrorOfAnAgentWithAHiddenOwnDocumentCounts) {
  Fleet f;
  f.put("/monitor/defaults", R"({"interval": 0})", 0);
  f.put("/monitor/config/a", R"({"interval": 6})", 0);
  KeySet keys;
  keys.entries["/monitor/defaults"] = {R"({"interval": 0})", std::nullopt, 0};
  keys.entries["/elsewhere"] = {R"({"interval": 1})", std::nullopt, 0};
  AgentStatus status = refused(keys, {});
  status.refused = contents_mark_of(keys, "/elsewhere");
  f.put(status_key("a"), to_json(status), 0);
  EXPECT_EQ(f.row("a").state, AgentState::kFailed);
  f.put("/monitor/defaults", R"({"interval": 2})", 0);
  EXPECT_EQ(f.row("a").state, AgentState::kPending);
}

TEST(Fleet, ListsProblemsOfAnAgent) {
  FleetRow row;
  row.state = AgentState::kFailed;
  row.status.error = "/interval: must be more";
  row.status.plugins = {{"good", "running"}, {"bad", "quarantined"}};
  row.status.plugins[1].error = "killed";
  row.status.mounts = {{"/mnt/a", "nfs4", "s:/a", kNow}};
  row.status.series_full = true;
  const std::vector<std::string> expected = {"configuration refused: /interval: must be more",
                                             "plugin bad is quarantined: killed", "mount /mnt/a hangs",
                                             "no room for more series"};
  EXPECT_EQ(problems_of(row), expected);
  row.state = AgentState::kGone;
  EXPECT_TRUE(problems_of(row).empty());
  row.state = AgentState::kApplied;
  row.status = {};
  EXPECT_TRUE(problems_of(row).empty());
  row.status.warning = std::string(1000, 'x');
  EXPECT_EQ(problems_of(row).at(0).size(), kMostProblemBytes);
}

TEST(Fleet, ToleratesForeignStatuses) {
  Fleet f;
  for (const char* const text :
       {"", "{", "[]", "null", R"({"applied": "x", "plugins": [1, {"name": 5}], "since": 7})", "\xff\xfe",
        R"({"groups": {"a": 1}, "overrides": [[]], "mounts": [7, {"mount": []}]})"}) {
    f.put(status_key("x"), text, 1);
    f.put(inventory_key("x"), text, 2);
    EXPECT_TRUE(row_of(f.keys, "x", kNow, std::nullopt)) << text;
  }
}

// A status must not be able to crash its readers by deep nesting: values are copied and printed recursively.
TEST(Fleet, IgnoresOverlyNestedJson) {
  Fleet f;
  const std::string deep = std::string(100'000, '[') + "1" + std::string(100'000, ']');
  for (const char* const field : {"deleted", "series_full", "mounts", "groups", "plugins", "other"}) {
    f.put(status_key("x"), R"({"version": "7", ")" + std::string(field) + "\":" + deep + "}", 1);
    EXPECT_EQ(f.row("x").status.version, "7") << field;
  }
  f.put(status_key("x"), R"({"version": "7", "plugins": [{"name": "p", "shadow": )" + deep + "}]}", 1);
  EXPECT_EQ(f.row("x").status.plugins.at(0).name, "p");
}

TEST(Fleet, StatusRoundTrips) {
  AgentStatus status{"1.2.3",
                     "host \"q\"",
                     kNow,
                     kNow + 1'000'000,
                     7,
                     6,
                     5,
                     "wrong",
                     true,
                     "abc",
                     {"g"},
                     {"agents/a/o"},
                     {{"p", "running", 1, 2, 3}},
                     {{"/mnt/a", "nfs4", "s:/a", kNow}}};
  status.plugins[0].version = "1.2.0";
  status.plugins[0].points_dropped = 9;
  status.plugins[0].error_ns = kNow;
  const auto back = parse_status(to_json(status));
  ASSERT_TRUE(back);
  EXPECT_EQ(to_json(*back), to_json(status));
  EXPECT_EQ(back->plugins, status.plugins);
  EXPECT_EQ(back->mounts, status.mounts);
}

TEST(Fleet, StatusNamesWhatWasRefusedOnlyWithAnError) {
  AgentStatus status = refused({}, {"web"});
  const auto back = parse_status(to_json(status));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->refused, status.refused);
  EXPECT_EQ(back->refused_groups, status.refused_groups);
  status.error.clear();
  EXPECT_EQ(to_json(status).find("refused"), std::string::npos);
}

TEST(Fleet, VersionsThatADocumentNeeds) {
  const auto needs = [](const char* text) {
    const auto needed = needed_versions(nlohmann::json::parse(text));
    return needed.empty() ? std::string() : needed.front().field + " " + needed.front().since;
  };
  EXPECT_EQ(needs(R"({"interval": 5, "metrics": ["cpu"]})"), "interval 0.1.0");
  EXPECT_EQ(needs(R"({"interval": 5, "log_level": "debug"})"), "log_level 0.2.0");
  EXPECT_EQ(needs(R"({"interval": 5, "spool": {"max": 1}})"), "spool/max 0.2.0");
  EXPECT_EQ(needs(R"({"metrics": [{"name": "cpu", "interval": 1}]})"), "metrics: interval of cpu 0.2.0");
  EXPECT_EQ(needs("[]"), "");
  EXPECT_TRUE(is_older("0.9.1", "0.10.0"));
  EXPECT_FALSE(is_older("1.0.0", "0.10.0"));
  EXPECT_FALSE(is_older("0.2.0", "0.2.0"));
  EXPECT_TRUE(is_older("nonsense", "0.1.0"));
}

TEST(Fleet, ExplainsTheOriginOfEveryValue) {
  Fleet f;
  f.put("/monitor/defaults", R"({"interval": 5, "labels": {"site": "x", "rack": "1"}})", 3);
  f.put("/monitor/config/a", R"({"labels": {"rack": "2"}, "send_every": 2})", 4);
  f.put("/monitor/overrides/all/calm", R"({"interval": 9, "log_level": "debug"})", 5);
  f.put("/monitor/overrides/agents/a/q", R"({"interval": 1})", 6);
  const auto made = layers_of(f.keys, "a", kNow, [](const std::string& key) { return key; });
  ASSERT_TRUE(made.problems.empty());
  std::map<std::string, std::string> origin;
  for (const Explained& one : explain(made.set.layers)) {
    origin[one.path] = one.value + " " + one.key + " " + std::to_string(one.revision);
  }
  EXPECT_EQ(origin["/interval"], "1 /monitor/overrides/agents/a/q 6");
  EXPECT_EQ(origin["/log_level"], "\"debug\" /monitor/overrides/all/calm 5");
  EXPECT_EQ(origin["/labels/site"], "\"x\" /monitor/defaults 3");
  EXPECT_EQ(origin["/labels/rack"], "\"2\" /monitor/config/a 4");
  EXPECT_EQ(origin["/send_every"], "2 /monitor/config/a 4");
  EXPECT_EQ(origin["/plugins"], "[]  0");
  f.keys.erase("/monitor/overrides/agents/a/q");
  f.keys.erase("/monitor/overrides/all/calm");
  f.put("/monitor/config/a", "0", 7);
  EXPECT_TRUE(explain(layers_of(f.keys, "a", kNow, [](const std::string& key) { return key; }).set.layers).empty());
}

}  // namespace
}  // namespace monitor::config
