#include "config/keys.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace monitor::config {
namespace {

using namespace std::string_literals;

TEST(KeysTest, AcceptsEveryShapeOfKey) {
  for (const std::string& key :
       {defaults_key(), agent_key("web-1"), group_key("eu.west_1"), status_key("a"), inventory_key("a"),
        shared_overrides() + "now", agent_overrides("a") + "now", group_overrides("g") + "now",
        std::string(kPluginsRoot) + "script", "/elsewhere/mine"s, "/x"s, "/a/b/c/d/e/f/g/h"s,
        agent_key(std::string(128, 'a')), agent_key("..."), agent_key(".hidden")}) {
    EXPECT_TRUE(check_key(key)) << key;
  }
  for (const std::string_view prefix : {kKeyRoot, kOverridesRoot, kPluginsRoot}) EXPECT_TRUE(check_prefix(prefix));
}

const std::vector<std::string>& hostile_keys() {
  static const std::vector<std::string> kKeys = {"",
                                                 "/",
                                                 "//",
                                                 "monitor/config/a",
                                                 "/monitor/config/",
                                                 "/monitor//config/a",
                                                 "/monitor/config//a",
                                                 "/monitor/config/a/",
                                                 "/monitor/config/.",
                                                 "/monitor/config/..",
                                                 "/monitor/config/../../../etc/x",
                                                 "/monitor/./config/a",
                                                 "/monitor/config/..%2f..%2fx",
                                                 "/monitor/config/%2e%2e/x",
                                                 "/monitor/config/a%00",
                                                 "/monitor/config/a\0.txt"s,
                                                 "\0"s,
                                                 "/monitor/config/a\n",
                                                 "/monitor/config/\x1b[31m",
                                                 "/monitor/config/a b",
                                                 "/monitor/config/\xc0\xae\xc0\xae/x",
                                                 "/monitor/config/\xe2\x80\xa5",
                                                 "/monitor/config/..\\..\\x",
                                                 "/monitor/config/~",
                                                 "/monitor/config/" + std::string(129, 'a'),
                                                 "/monitor/config/" + std::string(255, 'a'),
                                                 "/monitor/" + std::string(5000, 'a'),
                                                 "/a/b/c/d/e/f/g/h/i",
                                                 "/monitor/config/*",
                                                 "/monitor/config/a:b"};
  return kKeys;
}

TEST(KeysTest, RejectsHostileKeys) {
  for (const std::string& key : hostile_keys()) {
    const Status checked = check_key(key);
    ASSERT_FALSE(checked) << key;
    EXPECT_EQ(checked.error().code(), Code::kInvalidArgument);
    EXPECT_LT(checked.error().message().size(), 2000U);
    EXPECT_EQ(checked.error().message().find('\0'), std::string::npos);
    EXPECT_EQ(checked.error().message().find('\n'), std::string::npos);
    EXPECT_FALSE(check_prefix(key + "/")) << key;
    EXPECT_EQ(kind_of_key(key), KeyKind::kOther) << key;
  }
}

TEST(KeysTest, NamesTheInvalidSegment) {
  EXPECT_EQ(check_key("/monitor/config/../x").error().message(),
            R"(key: got "/monitor/config/../x": segment 3 is "..", expected 1 to 128 of [A-Za-z0-9._-], not . or ..)");
  EXPECT_NE(check_key("/monitor//x").error().message().find("segment 2 is empty"), std::string::npos);
}

TEST(KeysTest, RejectsPrefixesWithoutSlashes) {
  for (const std::string prefix : {"", "/", "/monitor", "monitor/", "//", "/monitor//", "/monitor/../"}) {
    EXPECT_FALSE(check_prefix(prefix)) << prefix;
  }
}

TEST(KeysTest, RecognizesKindsOfKeys) {
  EXPECT_EQ(kind_of_key("/monitor/defaults"), KeyKind::kDefaults);
  EXPECT_EQ(kind_of_key("/monitor/config/a"), KeyKind::kAgent);
  EXPECT_EQ(kind_of_key("/monitor/groups/a"), KeyKind::kGroup);
  EXPECT_EQ(kind_of_key("/monitor/overrides/agents/a/x"), KeyKind::kOverride);
  EXPECT_EQ(kind_of_key("/monitor/overrides/groups/a/x"), KeyKind::kOverride);
  EXPECT_EQ(kind_of_key("/monitor/overrides/all/x"), KeyKind::kOverride);
  EXPECT_EQ(kind_of_key("/monitor/plugins/a"), KeyKind::kPlugin);
  EXPECT_EQ(kind_of_key("/monitor/status/a"), KeyKind::kStatus);
  EXPECT_EQ(kind_of_key("/monitor/inventory/a"), KeyKind::kInventory);
  for (const std::string_view key :
       {"/monitor/config", "/monitor/config/a/b", "/monitor/defaults/x", "/monitor/overrides/agents/a",
        "/monitor/overrides/x/a/b", "/monitor/overrides/all", "/monitor/overrides/all/a/b", "/other/config/a",
        "/monitor/rules/x", "/monitor/status/a/b"}) {
    EXPECT_EQ(kind_of_key(key), KeyKind::kOther) << key;
  }
  EXPECT_EQ(name_of_key("/monitor/config/a"), "a");
}

TEST(KeysTest, RecordsHaveKeysInTheOrderOfTheirNumbers) {
  const std::string key = "/monitor/overrides/agents/a/manual";
  EXPECT_EQ(history_key(key, 7), "/monitor-history/overrides/agents/a/manual/0000000007");
  EXPECT_LT(history_key(key, 9), history_key(key, 10));
  EXPECT_LT(history_key(key, kMostRecordNumber), history_end(key));
  const auto place = place_of_record(history_key(key, 7));
  ASSERT_TRUE(place);
  EXPECT_EQ(place->key, key);
  EXPECT_EQ(place->number, 7U);
  for (const char* const other :
       {"/monitor-history/defaults", "/monitor-history/defaults/", "/monitor-history/defaults/7",
        "/monitor-history/defaults/0000000000", "/monitor-history/defaults/9999999999", "/monitor/defaults/0000000001",
        "/monitor-history/status/a/0000000001", "/monitor-history/config/../x/0000000001",
        "/monitor-history/0000000001", "/monitor-history//0000000001", "/monitor-history/config/a/-000000001", ""}) {
    EXPECT_FALSE(place_of_record(other)) << other;
  }
  EXPECT_TRUE(has_history(defaults_key()));
  EXPECT_TRUE(has_history(key));
  EXPECT_FALSE(has_history(status_key("a")));
  EXPECT_FALSE(has_history("/elsewhere/mine"));
}

}  // namespace
}  // namespace monitor::config
