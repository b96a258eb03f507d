// Folders and bundles of documents: what is read of them, and hundreds of hostile ones.
#include "config/declared/declared.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "base/testing/temporary_folder.h"
#include "config/declared/plan.h"
#include "config/document.h"
#include "config/history/change_record.h"
#include "config/keys.h"

namespace monitor::config {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class DeclaredTest : public ::testing::Test {
 protected:
  void write(const std::string& path, const std::string& text = "{}") {
    const fs::path whole = top_.path() + "/" + path;
    fs::create_directories(whole.parent_path());
    std::ofstream(whole, std::ios::binary) << text;
  }
  Declared read() {
    auto found = read_declared_folder(disk_, top_.path());
    EXPECT_TRUE(found) << found.error().message();
    return found ? std::move(*found) : Declared{};
  }
  std::vector<std::string> keys() {
    std::vector<std::string> names;
    for (const auto& [key, text] : read().documents) names.push_back(key);
    return names;
  }
  void clear() {
    for (const auto& entry : fs::directory_iterator(top_.path())) fs::remove_all(entry.path());
  }

  PosixDisk disk_;
  TemporaryFolder top_;
};

TEST_F(DeclaredTest, ReadsTheLayoutOfAFolder) {
  write("defaults.json", R"({"interval": 5})");
  write("groups/web.json");
  write("config/a.json");
  for (const char* const other : {"README.md", ".git/config.json", "status/a.json", "overrides/agents/a/x.json",
                                  "history/config/a.jsonl", "config/.a.json.swp", "docs/guide.md"}) {
    write(other);
  }
  EXPECT_THAT(keys(), ElementsAre("/monitor/config/a", "/monitor/defaults", "/monitor/groups/web"));
  EXPECT_THAT(read().faults, IsEmpty());
  EXPECT_EQ(read().documents["/monitor/defaults"], R"({"interval": 5})");
  EXPECT_EQ(read().places["/monitor/groups/web"], top_.path() + "/groups/web.json");
}

TEST_F(DeclaredTest, NamesEverythingThatIsInAWrongPlace) {
  for (const char* const wrong : {"package.json", "group/web.json", "groups/a b.json", "config/x.json/y",
                                  "groups/deep/web.json", "defaults/x.json"}) {
    clear();
    write(wrong);
    EXPECT_EQ(read().faults.size(), 1U) << wrong;
    EXPECT_THAT(keys(), IsEmpty()) << wrong;
  }
}

TEST_F(DeclaredTest, FollowsLinksOnlyWithinTheFolder) {
  TemporaryFolder elsewhere;
  std::ofstream(elsewhere.path() + "/secret.json") << R"({"secret": 1})";
  write("..data/web.json");
  fs::create_directories(top_.path() + "/groups");
  fs::create_symlink("../..data/web.json", top_.path() + "/groups/inside.json");
  EXPECT_THAT(keys(), ElementsAre("/monitor/groups/inside"));
  fs::create_symlink(elsewhere.path() + "/secret.json", top_.path() + "/groups/outside.json");
  fs::create_symlink("loop.json", top_.path() + "/groups/loop.json");
  fs::create_symlink("nowhere.json", top_.path() + "/groups/dangling.json");
  fs::create_directory_symlink(elsewhere.path(), top_.path() + "/config");
  const auto found = read();
  EXPECT_EQ(found.faults.size(), 4U) << found.faults[0];
  EXPECT_EQ(found.documents.size(), 1U);
}

TEST_F(DeclaredTest, SurvivesFilesOfEveryKind) {
  fs::create_directories(top_.path() + "/groups");
  ASSERT_EQ(mkfifo((top_.path() + "/groups/fifo.json").c_str(), 0600), 0);
  fs::create_symlink("/dev/zero", top_.path() + "/groups/zero.json");
  write("groups/huge.json", std::string(kMaxDocumentBytes + 1, ' '));
  write("groups/empty.json", "");
  fs::create_directory(top_.path() + "/groups/folder.json");
  const auto found = read();
  EXPECT_EQ(found.faults.size(), 4U);
  EXPECT_EQ(found.documents.size(), 1U) << "an empty file is a document that validation refuses";
}

TEST_F(DeclaredTest, SaysWhyAFolderCannotBeRead) {
  EXPECT_EQ(read_declared_folder(disk_, top_.path() + "/none").error().code(), Code::kNotFound);
  write("file");
  EXPECT_FALSE(read_declared_folder(disk_, top_.path() + "/file"));
  fs::create_symlink("self", top_.path() + "/self");
  EXPECT_FALSE(read_declared_folder(disk_, top_.path() + "/self"));
  if (geteuid() == 0) return;  // root reads everything
  write("groups/a.json");
  fs::permissions(top_.path() + "/groups", fs::perms::none);
  EXPECT_EQ(read().faults.size(), 1U);
  fs::permissions(top_.path() + "/groups", fs::perms::owner_all);
}

// Names of files from hostile parts; none may lead out of the folder or be taken for a document by mistake.
TEST_F(DeclaredTest, HostileNamesAreFaultsOrIgnored) {
  std::mt19937 random(5);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same names in every run
  const std::vector<std::string> parts = {"a",  "..",  ".",  "\xff\xfe", " ",    "%2e%2e",      "\x1b[31m",
                                          "\n", "é",   "-f", "\\",       "'",    "\"",          "*",
                                          "~",  "a.b", "_",  "defaults", "\x7f", "\xe2\x80\xae"};
  size_t made = 0;
  for (int i = 0; i < 250; ++i) {
    std::string name;
    for (auto left = random() % 4 + 1; left > 0; --left) name += parts[random() % parts.size()];
    if (i % 50 == 0) name = std::string(i + 5, 'x');
    const std::string path = top_.path() + "/groups/" + name + ".json";
    fs::create_directories(top_.path() + "/groups");
    std::ofstream file(path);
    if (!file) continue;
    file << "{}";
    ++made;
  }
  ASSERT_GT(made, 150U);
  const auto found = read();
  EXPECT_FALSE(found.faults.empty());
  for (const auto& [key, text] : found.documents) {
    EXPECT_TRUE(check_key(key)) << key;
    EXPECT_EQ(kind_of_key(key), KeyKind::kGroup) << key;
  }
  for (const std::string& fault : found.faults) EXPECT_LT(fault.size(), 1000U);
}

// Bytes of good records and bundles, changed at random: they are understood or refused, and nothing else.
TEST(HostileTextTest, ChangedRecordsAndBundlesAreRefusedOrUnderstood) {
  std::mt19937 random(6);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same texts in every run
  ChangeRecord record;
  record.number = 3;
  record.note = {"alice", AuthorKind::kEtcdUser, "", "why", "set", 1'767'323'040'000'000'000};
  record.text = R"({"interval": 5})";
  const std::string texts[] = {to_json(record), R"({"defaults":{"interval":5},"groups":{"web":{"metrics":["cpu"]}}})"};
  size_t refused = 0;
  for (int i = 0; i < 600; ++i) {
    std::string text = texts[i % 2];
    for (auto left = random() % 4 + 1; left > 0; --left) {
      const size_t at = random() % text.size();
      switch (random() % 4) {
        case 0:
          text[at] = static_cast<char>(random());
          break;
        case 1:
          text.erase(at, random() % 9);
          break;
        case 2:
          text.insert(at, std::string(random() % 5 == 0 ? 5000 : 1, "[{\"0\\-\xff"[random() % 7]));
          break;
        default:
          text.insert(at, text.substr(at / 2, random() % 40));
      }
      if (text.empty()) text = " ";
    }
    if (i % 2 == 0) {
      const auto parsed = parse_record(text);
      refused += parsed ? 0 : 1;
      if (parsed) {
        ASSERT_TRUE(parse_record(to_json(*parsed))) << text;
      }
    } else {
      const auto parsed = parse_bundle(text, "input");
      refused += parsed ? 0 : 1;
      if (parsed) {
        for (const auto& [key, document] : parsed->documents) EXPECT_TRUE(check_key(key)) << text;
      }
    }
  }
  EXPECT_GT(refused, 300U);
}

TEST(BundleTest, PrintsWhatItReads) {
  std::vector<std::string> left_out;
  const std::map<std::string, std::string> documents = {
      {defaults_key(), R"({"interval":5})"}, {group_key("web"), "{}"}, {agent_key("a"), "not JSON"}};
  const std::string text = bundle_of(documents, left_out);
  EXPECT_THAT(left_out, ElementsAre(agent_key("a")));
  const auto back = parse_bundle(text, "bundle");
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(back->documents.size(), 2U);
  EXPECT_EQ(Document::parse(back->documents.at(defaults_key()))->value()["interval"], 5);
  EXPECT_EQ(bundle_of({}, left_out), "{}\n");
}

TEST(BundleTest, RefusesEverythingElse) {
  for (const std::string& bad :
       {std::string(), std::string("[]"), std::string(R"({"interval": 5})"), std::string(R"({"groups": []})"),
        std::string(R"({"groups": {"../x": {}}})"), std::string(R"({"config": {"": {}}})"),
        std::string(R"({"groups": {"a": {}, "a": {}}})"), std::string(R"({"defaults": {}, "defaults": {}})"),
        R"({"defaults": )" + std::string(100, '[') + std::string(100, ']') + "}", std::string("{\"defaults\": {}"),
        std::string("{\"defaults\": \"\xff\"}")}) {
    const auto parsed = parse_bundle(bad, "file");
    ASSERT_FALSE(parsed) << bad;
    EXPECT_THAT(parsed.error().message(), HasSubstr("file: "));
  }
}

TEST(BundleTest, KnowsDocumentsByTheirPaths) {
  EXPECT_EQ(key_of_path("/fleet/groups/web.json"), "/monitor/groups/web");
  EXPECT_EQ(key_of_path("config/a.json"), "/monitor/config/a");
  EXPECT_EQ(key_of_path("defaults.json"), "/monitor/defaults");
  for (const char* const other : {"web.json", "groups/web.yaml", "x/y.json", "groups/.json", ""}) {
    EXPECT_EQ(key_of_path(other), "") << other;
  }
  EXPECT_EQ(declared_path(group_key("web")), "groups/web.json");
}

TEST(PlanTest, SaysWhatEachDocumentNeeds) {
  StoredKeys stored;
  stored[defaults_key()] = {R"({"interval":5})", 1};
  stored[group_key("web")] = {"{}", 2};
  stored[group_key("old")] = {"{}", 3};
  stored[status_key("a")] = {"{}", 4};
  stored[agent_overrides("a") + "x"] = {"{}", 5};
  const std::map<std::string, std::string> declared = {
      {defaults_key(), R"({ "interval": 5.0 })"}, {group_key("web"), R"({"interval":1})"}, {agent_key("a"), "{}"}};
  const auto shown = [&](bool prune) {
    std::vector<std::string> out;
    for (const auto& one : plan_of(declared, stored, prune))
      out.push_back(std::string(to_string(one.action)) + " " + one.key);
    return out;
  };
  EXPECT_THAT(shown(false), ElementsAre("same /monitor/defaults", "extra /monitor/groups/old",
                                        "change /monitor/groups/web", "create /monitor/config/a"));
  EXPECT_EQ(shown(true)[1], "delete /monitor/groups/old");
}

}  // namespace
}  // namespace monitor::config
