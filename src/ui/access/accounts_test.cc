#include "ui/access/accounts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "base/clock.h"
#include "base/lock_file.h"
#include "ui/access/accounts_file.h"
#include "ui/access/secret.h"

namespace monitor::access {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string kHash = "scrypt:1024:1:1:" + std::string(32, 'a') + ":" + std::string(64, 'b');
constexpr int64_t kTime = 1'700'000'000 * kNanosPerSecond;
const std::string kToken = std::string(kTokenPrefix) + std::string(64, 'c');

Accounts some_accounts() {
  Accounts accounts;
  accounts.users["ann"] = {"ann", Role::kAdmin, kHash, kTime};
  accounts.users["bob@example.org"] = {"bob@example.org", Role::kViewer, kHash, kTime};
  accounts.tokens["ci"] = {"ci", Role::kEditor, digest_of(kToken), kTime, kTime + kNanosPerSecond};
  return accounts;
}

TEST(Accounts, SurviveTheirFile) {
  const auto again = parse_accounts(accounts_json(some_accounts()));
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(*again, some_accounts());
  EXPECT_THAT(accounts_json(some_accounts()), Not(HasSubstr(kToken)));
}

TEST(Accounts, FindTokensByTheirDigest) {
  const Accounts accounts = some_accounts();
  ASSERT_NE(accounts.token(kToken), nullptr);
  EXPECT_EQ(accounts.token(kToken)->name, "ci");
  EXPECT_EQ(accounts.token(kToken + "0"), nullptr);
  EXPECT_EQ(accounts.token(""), nullptr);
  EXPECT_EQ(accounts.token(accounts.tokens.at("ci").digest), nullptr) << "the digest is no token";
}

TEST(Accounts, RejectEntriesThatAreNotCompleteAndKnown) {
  const std::string user =
      R"({"name":"ann","role":"admin","password":")" + kHash + R"(","changed":"2026-11-30T12:00:00Z"})";
  const auto file = [](const std::string& entry) { return R"({"version":1,"users":[)" + entry + "]}"; };
  ASSERT_TRUE(parse_accounts(file(user)));
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string text = user;
    return file(text.replace(text.find(from), from.size(), to));
  };
  for (const auto& [text, reason] : std::vector<std::pair<std::string, std::string>>{
           {"", "JSON object"},
           {"[]", "JSON object"},
           {"{}", "version"},
           {R"({"version":2})", "version"},
           {R"({"version":1,"user":[]})", "unknown field"},
           {R"({"version":1,"users":{}})", "a list"},
           {file("7"), "users[0]: expected an object"},
           {file(user + "," + user), "users[1]: the name ann appears twice"},
           {changed("admin", "root"), "users[0]: got the role \"root\""},
           {changed("\"ann\"", "\"../ann\""), "users[0]: name"},
           {changed("\"ann\"", "7"), "a text in the field name"},
           {changed("scrypt:1024", "scrypt:1023"), "cost"},
           {changed("2026-11-30T12:00:00Z", "today"), "changed"},
           {changed("\"name\"", "\"admin\":true,\"name\""), "unknown field \"admin\""},
           {std::string(100'000, '['), "users file"},
       }) {
    const auto parsed = parse_accounts(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(parsed.error().message(), HasSubstr(reason));
    EXPECT_THAT(parsed.error().message(), Not(HasSubstr(kHash)));
  }
}

class AccountsFileTest : public ::testing::Test {
 protected:
  AccountsFileTest() {
    std::string name = std::filesystem::temp_directory_path() / "accounts-XXXXXX";
    folder_ = mkdtemp(name.data());
    path_ = folder_ + "/users.json";
  }
  ~AccountsFileTest() override { std::filesystem::remove_all(folder_); }

  Status write(const Accounts& accounts) {
    return edit_accounts(disk_, path_, [&](Accounts& all) {
      all = accounts;
      return Status();
    });
  }

  std::string folder_;
  std::string path_;
  PosixDisk disk_;
};

TEST_F(AccountsFileTest, IsPrivateAndReplacedAtomically) {
  ASSERT_TRUE(write(some_accounts()));
  struct stat info{};
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  EXPECT_EQ(*read_accounts(path_), some_accounts());
}

TEST_F(AccountsFileTest, AFailedEditLeavesTheFile) {
  ASSERT_TRUE(write(some_accounts()));
  const Status done = edit_accounts(disk_, path_, [](Accounts& all) -> Status {
    all.users.clear();
    return Error(Code::kNotFound, "no such user");
  });
  EXPECT_EQ(done.error().code(), Code::kNotFound);
  EXPECT_EQ(*read_accounts(path_), some_accounts());
}

TEST_F(AccountsFileTest, ASecondEditorIsTurnedAway) {
  const auto lock = LockFile::acquire(path_ + ".lock", "this test");
  ASSERT_TRUE(lock);
  EXPECT_EQ(write({}).error().code(), Code::kAborted);
}

TEST_F(AccountsFileTest, IsRejectedIfOthersMayWriteIt) {
  ASSERT_TRUE(write(some_accounts()));
  ASSERT_EQ(chmod(path_.c_str(), 0620), 0);
  EXPECT_EQ(read_accounts(path_).error().code(), Code::kPermissionDenied);
}

TEST_F(AccountsFileTest, IsReadAgainOnlyWhenItChanges) {
  AccountsFile file(path_);
  EXPECT_FALSE(file.refresh());
  ASSERT_TRUE(file.trouble());
  EXPECT_EQ(file.trouble()->code(), Code::kNotFound);
  ASSERT_TRUE(write(some_accounts()));
  const auto before = file.refresh();
  ASSERT_TRUE(before);
  EXPECT_EQ(*before, Accounts());
  EXPECT_FALSE(file.trouble());
  EXPECT_EQ(file.accounts(), some_accounts());
  EXPECT_FALSE(file.refresh());
}

TEST_F(AccountsFileTest, ADamagedFileLeavesTheAccountsInForce) {
  ASSERT_TRUE(write(some_accounts()));
  AccountsFile file(path_);
  file.refresh();
  ASSERT_TRUE(disk_.write_file(path_, "{\"version\":1,"));
  EXPECT_FALSE(file.refresh());
  EXPECT_TRUE(file.trouble());
  EXPECT_EQ(file.accounts(), some_accounts());
}

TEST(AccountChanges, NameWhatDiffers) {
  Accounts after = some_accounts();
  after.users.erase("bob@example.org");
  after.users["ann"].role = Role::kEditor;
  after.users["ann"].password += "0";
  after.users["eve"] = {"eve", Role::kViewer, kHash, kTime};
  after.tokens.clear();
  after.tokens["new"] = {"new", Role::kAdmin, digest_of("x"), kTime, kTime};
  const std::vector<AccountChange> expected = {{"user.role", "ann", "admin", "editor"},
                                               {"user.password", "ann", "", ""},
                                               {"user.removed", "bob@example.org", "viewer", ""},
                                               {"user.added", "eve", "", "viewer"},
                                               {"token.revoked", "ci", "editor", ""},
                                               {"token.created", "new", "", "admin"}};
  EXPECT_EQ(changes_between(some_accounts(), after), expected);
  EXPECT_TRUE(changes_between(after, after).empty());
}

}  // namespace
}  // namespace monitor::access
