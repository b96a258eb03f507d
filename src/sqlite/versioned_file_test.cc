#include "sqlite/versioned_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "base/testing/temporary_folder.h"

namespace monitor::sqlite {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr FileKind kFirst = {.name = "the notes",
                             .version = 1,
                             .tables = "CREATE TABLE IF NOT EXISTS notes(text TEXT)",
                             .pragmas = "PRAGMA synchronous=NORMAL",
                             .loss = "all notes begin anew"};
constexpr FileKind kSecond = {.name = "the notes",
                              .version = 2,
                              .tables =
                                  "CREATE TABLE IF NOT EXISTS notes(text TEXT);"
                                  "CREATE TABLE IF NOT EXISTS authors(name TEXT)",
                              .pragmas = "PRAGMA synchronous=NORMAL",
                              .loss = "all notes begin anew"};

class VersionedFile : public ::testing::Test {
 protected:
  void write_note(const FileKind& kind) {
    auto db = open_versioned(path_, kind);
    ASSERT_TRUE(db.ok()) << db.error().message();
    ASSERT_TRUE(db->exec("INSERT INTO notes VALUES('one')").ok());
  }
  int64_t notes(const FileKind& kind) {
    auto db = open_versioned(path_, kind);
    EXPECT_TRUE(db.ok()) << db.error().message();
    return db ? db->integer("SELECT count(*) FROM notes").value() : -1;
  }
  std::optional<std::string> moved_file() {
    for (const auto& entry : fs::directory_iterator(folder_.path())) {
      if (entry.path().filename().string().starts_with("notes.db.damaged-")) return entry.path().string();
    }
    return std::nullopt;
  }

  const TemporaryFolder folder_;
  const std::string path_ = folder_.path() + "/notes.db";
};

TEST_F(VersionedFile, KeepsWhatItHoldsWhenItIsOpenedAgain) {
  write_note(kFirst);
  EXPECT_EQ(notes(kFirst), 1);
  EXPECT_FALSE(moved_file());
}

TEST_F(VersionedFile, AddsTheTablesOfANewerVersionAndKeepsTheRows) {
  write_note(kFirst);
  EXPECT_EQ(notes(kSecond), 1);
  auto db = open_versioned(path_, kSecond);
  ASSERT_TRUE(db.ok());
  EXPECT_EQ(db->integer("SELECT count(*) FROM authors").value(), 0);
  EXPECT_EQ(check_version(*db, kSecond).value(), 2);
}

TEST_F(VersionedFile, RefusesAFileOfANewerVersionAndLeavesItAsItIs) {
  write_note(kSecond);
  const auto refused = open_versioned(path_, kFirst);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Code::kFailedPrecondition);
  EXPECT_THAT(refused.error().message(), HasSubstr("the notes " + path_));
  EXPECT_THAT(refused.error().message(), HasSubstr("its format is 2, and this version reads up to 1"));
  EXPECT_FALSE(moved_file());
  EXPECT_EQ(notes(kSecond), 1);
}

TEST_F(VersionedFile, MovesADamagedFileAsideAndBeginsAnew) {
  write_note(kFirst);
  std::ofstream(path_, std::ios::binary) << std::string(8192, 'x');
  EXPECT_EQ(notes(kFirst), 0);
  ASSERT_TRUE(moved_file());
  EXPECT_EQ(fs::file_size(*moved_file()), 8192U);
}

TEST_F(VersionedFile, MovesAFileOfSomethingElseAside) {
  {
    auto db = Database::open(path_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    ASSERT_TRUE(db.ok());
    ASSERT_TRUE(db->exec("CREATE TABLE other(x)").ok());
  }
  EXPECT_EQ(notes(kFirst), 0);
  EXPECT_TRUE(moved_file());
}

TEST_F(VersionedFile, ReturnsTheErrorOfADamagedFileThatNothingCanReplace) {
  std::ofstream(path_, std::ios::binary) << std::string(8192, 'x');
  FileKind kind = kFirst;
  kind.loss = nullptr;
  const auto refused = open_versioned(path_, kind);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Code::kDataLoss);
  EXPECT_FALSE(moved_file());
  EXPECT_EQ(fs::file_size(path_), 8192U);
}

}  // namespace
}  // namespace monitor::sqlite
