#include "ui/access/audit_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/testing/fake_clock.h"

namespace monitor::access {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class AuditLogTest : public ::testing::Test {
 protected:
  AuditLogTest() {
    std::string name = std::filesystem::temp_directory_path() / "audit-XXXXXX";
    folder_ = mkdtemp(name.data());
    path_ = folder_ + "/audit.jsonl";
  }
  ~AuditLogTest() override { std::filesystem::remove_all(folder_); }

  std::vector<nlohmann::json> lines() const {
    std::vector<nlohmann::json> found;
    std::ifstream file(path_);
    for (std::string line; std::getline(file, line);) found.push_back(nlohmann::json::parse(line));
    return found;
  }

  FakeClock clock_;
  std::string folder_;
  std::string path_;
};

TEST_F(AuditLogTest, AppendsOneObjectALineToAPrivateFile) {
  AuditLog log(clock_, path_);
  ASSERT_TRUE(log.check());
  log.write({.event = "login", .who = "ann\n\"", .by = "session", .role = "admin", .address = "192.0.2.1:1"});
  log.write({.event = "config.change", .object = "/key", .before = "null", .after = R"({"interval":1})"});
  struct stat info{};
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  const auto found = lines();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0]["time"], "2023-11-14T22:13:20.000Z");
  EXPECT_EQ(found[0]["who"], "ann\n\"");
  EXPECT_FALSE(found[0].contains("reason"));
  EXPECT_EQ(found[1]["after"]["interval"], 1);
  EXPECT_TRUE(found[1]["before"].is_null());
}

TEST_F(AuditLogTest, ContinuesInANewFileAfterARotation) {
  AuditLog log(clock_, path_);
  log.write({.event = "login"});
  std::filesystem::rename(path_, path_ + ".1");
  log.write({.event = "logout"});
  ASSERT_EQ(lines().size(), 1U);
  EXPECT_EQ(lines()[0]["event"], "logout");
}

TEST_F(AuditLogTest, FollowsNoLinkAndCountsWhatItCannotWrite) {
  std::filesystem::create_symlink(folder_ + "/elsewhere", path_);
  AuditLog log(clock_, path_);
  EXPECT_FALSE(log.check());
  log.write({.event = "login"});
  EXPECT_EQ(log.failures(), 1U);
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/elsewhere"));
  EXPECT_EQ(nlohmann::json::parse(log.newest(10)).size(), 1U) << "the page still shows it";
}

TEST_F(AuditLogTest, KeepsTheNewestInMemory) {
  AuditLog log(clock_, "");
  for (size_t i = 0; i < AuditLog::kKept + 10; ++i) log.write({.event = "e" + std::to_string(i)});
  const auto all = nlohmann::json::parse(log.newest(10'000));
  ASSERT_EQ(all.size(), AuditLog::kKept);
  EXPECT_EQ(all[0]["event"], "e1009");
  EXPECT_EQ(nlohmann::json::parse(log.newest(3)).size(), 3U);
}

TEST(AuditValue, RemovesTheValuesOfSecretFields) {
  const std::string shown = audit_value(
      R"({"interval":1,"plugins":[{"Api-Key":"hunter2","config":{"db_password":["hunter2"],"tokens":{"a":"hunter2"}}}]})");
  EXPECT_THAT(shown, Not(HasSubstr("hunter2")));
  EXPECT_THAT(shown, HasSubstr(R"("interval":1)"));
  EXPECT_THAT(shown, HasSubstr("(removed)"));
}

TEST(AuditValue, IsValidJsonOfABoundedSize) {
  for (const std::string& text :
       {std::string(), std::string("no json"), std::string(200'000, '['), "\"" + std::string(20'000, 'x') + "\"",
        std::string("\"\xFF\""), std::string("\"\x1B[2J\"")}) {
    const std::string value = audit_value(text);
    EXPECT_LE(value.size(), AuditLog::kMaxValue);
    EXPECT_FALSE(nlohmann::json::parse(value, nullptr, false).is_discarded()) << value.substr(0, 100);
    EXPECT_THAT(value, Not(HasSubstr("\x1B")));
  }
}

}  // namespace
}  // namespace monitor::access
