// A store in files: what keys and links must not be able to do.
#include "config/file/file_store.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "config/keys.h"

namespace monitor::config {
namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;
using Text = std::optional<std::string>;

class FileStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = fs::temp_directory_path().string() + "/file-store-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    top_ = pattern;
    fs::create_directories(top_ + "/data/monitor/config");
    fs::create_directories(top_ + "/elsewhere");
    std::ofstream(top_ + "/elsewhere/secret.json") << "secret";
    std::ofstream(top_ + "/data/monitor/config/a.json") << "{}";
  }
  void TearDown() override { fs::remove_all(top_); }

  Result<int64_t> set(const std::string& key, const Text& text) {
    return store_->update(key, [&](const std::optional<Stored>&) -> Result<Text> { return text; });
  }

  PosixDisk disk_;
  std::string top_;
  std::unique_ptr<FileStore> make() { return std::make_unique<FileStore>(disk_, top_ + "/data/monitor"); }
  std::unique_ptr<FileStore> store_;
};

TEST_F(FileStoreTest, RefusesHostileKeysInEveryCall) {
  store_ = make();
  for (const std::string& key :
       {"/monitor/config/../../../elsewhere/secret"s, "/monitor/../../elsewhere/secret"s, "/monitor/config/a\0x"s,
        "/monitor/config//a"s, "/monitor/config/a/"s, "/monitor/config/."s, "monitor/config/a"s, ""s,
        "/monitor/config/%2e%2e/a"s, "/monitor/config/" + std::string(255, 'x'), "../elsewhere/secret"s}) {
    EXPECT_EQ(store_->get(key).error().code(), Code::kInvalidArgument) << key;
    EXPECT_EQ(set(key, "{}").error().code(), Code::kInvalidArgument) << key;
    EXPECT_EQ(set(key, std::nullopt).error().code(), Code::kInvalidArgument) << key;
    EXPECT_EQ(store_->put_for(key, "{}", 1).error().code(), Code::kInvalidArgument) << key;
    EXPECT_EQ(store_->list(key + "/../").error().code(), Code::kInvalidArgument) << key;
  }
  EXPECT_TRUE(fs::exists(top_ + "/elsewhere/secret.json"));
}

TEST_F(FileStoreTest, ReadsNothingThroughLinksThatLeadOut) {
  store_ = make();
  fs::create_symlink(top_ + "/elsewhere/secret.json", top_ + "/data/monitor/config/b.json");
  fs::create_directory_symlink("../../elsewhere", top_ + "/data/monitor/groups");
  EXPECT_EQ(store_->get(agent_key("b")).error().code(), Code::kPermissionDenied);
  EXPECT_EQ(store_->get(group_key("secret")).error().code(), Code::kPermissionDenied);
  const auto all = store_->list(std::string(kKeyRoot));
  ASSERT_TRUE(all) << all.error().message();
  EXPECT_EQ(all->size(), 1U) << "a link that leads out must not hide the rest";
  EXPECT_FALSE(set(group_key("secret"), "{}"));
  EXPECT_FALSE(set(group_key("secret"), std::nullopt));
  EXPECT_TRUE(fs::exists(top_ + "/elsewhere/secret.json"));
}

TEST_F(FileStoreTest, LockFileDoesNotLeadOutOfTheFolder) {
  store_ = make();
  fs::create_symlink(top_ + "/elsewhere/made", top_ + "/data/monitor/.lock");
  EXPECT_FALSE(set(agent_key("a"), "{}"));
  EXPECT_FALSE(fs::exists(top_ + "/elsewhere/made"));
}

TEST_F(FileStoreTest, FollowsLinksThatStayBelow) {
  store_ = make();
  fs::create_symlink("a.json", top_ + "/data/monitor/config/b.json");
  ASSERT_TRUE(store_->get(agent_key("b")));
  EXPECT_EQ((*store_->get(agent_key("b")))->value, "{}");
  EXPECT_EQ(store_->list(std::string(kKeyRoot))->size(), 2U);
}

TEST_F(FileStoreTest, ListsOnlyValidKeys) {
  store_ = make();
  std::ofstream(top_ + "/data/monitor/config/with space.json") << "{}";
  std::ofstream(top_ + "/data/monitor/config/" + std::string(200, 'x') + ".json") << "{}";
  EXPECT_EQ(store_->list(std::string(kKeyRoot))->size(), 1U);
}

}  // namespace
}  // namespace monitor::config
