// Which files a connection has open, and whether they still are the log's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <optional>

#include "metriclog/sqlite/schema.h"

namespace monitor::metriclog::sqlite {
namespace {

namespace fs = std::filesystem;

class MovedLog : public ::testing::Test {
 protected:
  MovedLog() {
    std::string name = (fs::temp_directory_path() / "moved-log-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    path_ = folder_ + "/log.db";
    auto made = open_for_writing(path_, nullptr);
    EXPECT_TRUE(made.ok());
    writer_.emplace(std::move(*made));
  }
  ~MovedLog() override {
    writer_.reset();
    fs::remove_all(folder_);
  }

  Database reader() {
    auto opened = open_for_reading(path_);
    EXPECT_TRUE(opened.ok()) << opened.error().message();
    return std::move(*opened);
  }
  // A copy of the file takes its place, as when an operator moves another one there.
  void replace(const std::string& ending) {
    fs::copy_file(path_ + ending, folder_ + "/copy");
    fs::rename(folder_ + "/copy", path_ + ending);
  }
  void move(const std::string& from, const std::string& to) {
    for (const char* const ending : {"", "-wal", "-shm"}) fs::rename(from + ending, to + ending);
  }

  std::string folder_;
  std::string path_;
  std::optional<Database> writer_;
};

TEST_F(MovedLog, IsNotMovedAtFirst) {
  EXPECT_FALSE(writer_->moved());
  EXPECT_FALSE(reader().moved());
}

// The moment between SQLite's open() and whatever the program does next.
TEST_F(MovedLog, NoticesAWalThatIsReplacedRightAfterItWasOpened) {
  const Database database = reader();
  replace("-wal");
  EXPECT_TRUE(database.moved());
  EXPECT_TRUE(writer_->moved());
}

TEST_F(MovedLog, NoticesAnIndexThatIsReplacedRightAfterItWasOpened) {
  const Database database = reader();
  replace("-shm");
  EXPECT_TRUE(database.moved());
}

TEST_F(MovedLog, NoticesAWalThatIsRemoved) {
  const Database database = reader();
  fs::remove(path_ + "-wal");
  EXPECT_TRUE(database.moved());
}

TEST_F(MovedLog, NoticesThatItsOwnNewWalGaveWayToTheLogs) {
  const std::string away = folder_ + "/away.db";
  ASSERT_TRUE(writer_->exec("PRAGMA wal_checkpoint(FULL)").ok());  // so that the log is readable without its WAL
  move(path_, away);
  writer_.reset();
  fs::rename(away, path_);
  const Database database = reader();  // creates a WAL, because the log's is not there yet
  EXPECT_FALSE(database.moved());
  for (const char* const ending : {"-wal", "-shm"}) fs::rename(away + ending, path_ + ending);
  EXPECT_TRUE(database.moved());
}

// Connections of one process share an index, so a new connection may use one that was replaced long before.
TEST_F(MovedLog, RefusesAnIndexThatAnotherConnectionKeepsOpen) {
  {
    const Database other = reader();
    writer_.reset();
    replace("-shm");
    const auto opened = open_for_reading(path_);
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().code(), Code::kUnavailable);
    EXPECT_THAT(opened.error().message(), ::testing::HasSubstr("moved"));
  }
  EXPECT_FALSE(reader().moved());
}

}  // namespace
}  // namespace monitor::metriclog::sqlite
