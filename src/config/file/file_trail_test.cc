// The history of documents in files: what a full disk, a kill in between and hostile files leave of it.
#include "config/file/file_trail.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/testing/temporary_folder.h"
#include "config/file/file_store.h"
#include "config/keys.h"

namespace monitor::config {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Text = std::optional<std::string>;

// A disk whose writes fail from the n-th on, as a full one does, or that "kills the program" there.
class FailingDisk final : public Disk {
 public:
  Result<std::string> read_file(const std::string& path, size_t max_bytes) override {
    return disk_.read_file(path, max_bytes);
  }
  Status write_file(const std::string& path, std::string_view content) override {
    return disk_.write_file(path, content);
  }
  Status make_folder(const std::string& path) override { return disk_.make_folder(path); }
  Status remove_file(const std::string& path) override { return disk_.remove_file(path); }
  Result<std::string> read_beneath(const std::string& folder, const std::string& path, size_t max_bytes) override {
    return disk_.read_beneath(folder, path, max_bytes);
  }
  Status write_beneath(const std::string& folder, const std::string& path, std::string_view content) override {
    if (writes_left-- > 0) return disk_.write_beneath(folder, path, content);
    return Error(Code::kResourceExhausted, "writing " + path + ": no space left on device");
  }
  Status remove_beneath(const std::string& folder, const std::string& path) override {
    if (killed && writes_left < 0) return Error(Code::kInternal, "killed");
    return disk_.remove_beneath(folder, path);
  }
  int writes_left = 1'000'000;
  bool killed = false;

 private:
  PosixDisk disk_;
};

class FileTrailTest : public ::testing::Test {
 protected:
  Result<int64_t> set(const Text& text, const std::string& author = "alice") {
    return store_.update_noted(kKey, {author, AuthorKind::kSystemUser, "", "why", "set", ++at_},
                               [&](const std::optional<Stored>&) -> Result<Text> { return text; });
  }
  std::vector<std::string> history() {
    const auto found = store_.history(kKey, 100);
    EXPECT_TRUE(found) << found.error().message();
    if (!found) return {};
    std::vector<std::string> out;
    for (const Version& one : (*found)->versions) {
      out.push_back(std::to_string(one.stored.revision) + (one.deleted ? " deleted" : "=" + one.stored.value) + " by " +
                    (one.recorded ? one.note.author : "unknown"));
    }
    return out;
  }
  void write(const std::string& path, const std::string& text) {
    fs::create_directories(fs::path(top_.path() + "/" + path).parent_path());
    std::ofstream(top_.path() + "/" + path, std::ios::binary) << text;
  }
  std::string document() const {
    std::ifstream file(top_.path() + "/config/a.json");
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  const std::string kKey = agent_key("a");
  TemporaryFolder top_;
  FailingDisk disk_;
  FileStore store_{disk_, top_.path()};
  int64_t at_ = 0;
};

TEST_F(FileTrailTest, RemembersChangesAndDeletions) {
  ASSERT_TRUE(set("one"));
  ASSERT_TRUE(set("two", "bob"));
  ASSERT_TRUE(set("two", "carol")) << "nothing changes";
  ASSERT_TRUE(set(std::nullopt));
  EXPECT_THAT(history(), ElementsAre("3 deleted by alice", "2=two by bob", "1=one by alice"));
  EXPECT_TRUE((*store_.history(kKey, 100))->complete);
  EXPECT_FALSE((*store_.history(kKey, 2))->complete);
}

TEST_F(FileTrailTest, ShowsAndRecordsWhatAnEditorChanged) {
  write("config/a.json", "older");
  EXPECT_THAT(history(), ElementsAre("1=older by unknown"));
  ASSERT_TRUE(set("one"));
  write("config/a.json", "by hand");
  EXPECT_THAT(history(), ElementsAre("3=by hand by unknown", "2=one by alice", "1=older by unknown"));
  ASSERT_TRUE(set("two"));
  EXPECT_THAT(history(), ElementsAre("4=two by alice", "3=by hand by unknown", "2=one by alice", "1=older by unknown"));
}

TEST_F(FileTrailTest, IsNoDocumentAndBoundedInNumber) {
  for (int i = 0; i < 130; ++i) ASSERT_TRUE(set(std::to_string(i)));
  EXPECT_EQ(history().size(), kMostChanges + 1);
  EXPECT_EQ(store_.list(std::string(kKeyRoot))->size(), 1U);
  EXPECT_EQ(store_.recent_changes(7)->size(), 7U);
}

TEST_F(FileTrailTest, AFullDiskChangesNothing) {
  ASSERT_TRUE(set("one"));
  for (int left = 0; left < 2; ++left) {
    disk_.writes_left = left;
    const auto done = set("two");
    ASSERT_FALSE(done) << left;
    EXPECT_EQ(done.error().code(), Code::kResourceExhausted);
    disk_.writes_left = 1000;
    EXPECT_EQ(document(), "one");
    EXPECT_THAT(history(), ElementsAre("1=one by alice"));
  }
}

TEST_F(FileTrailTest, ADiskThatFillsAfterTheChangeKeepsItsRecord) {
  ASSERT_TRUE(set("one"));
  disk_.writes_left = 2;  // the record, the document
  ASSERT_TRUE(set("two", "bob"));
  EXPECT_THAT(history(), ElementsAre("2=two by bob", "1=one by alice"));
  disk_.writes_left = 1000;
  ASSERT_TRUE(set("three"));
  EXPECT_THAT(history(), ElementsAre("3=three by alice", "2=two by bob", "1=one by alice"));
}

TEST_F(FileTrailTest, AKillAtEveryStepLeavesARecordExactlyOfWhatHappened) {
  for (int left = 0; left < 4; ++left) {
    fs::remove_all(top_.path() + "/history");
    fs::remove_all(top_.path() + "/config");
    ASSERT_TRUE(set("one"));
    disk_.killed = true;
    disk_.writes_left = left;
    (void)set("two", "bob");
    disk_.killed = false;
    disk_.writes_left = 1000;
    if (document() == "two") {
      EXPECT_THAT(history(), ElementsAre("2=two by bob", "1=one by alice")) << left;
    } else {
      EXPECT_THAT(history(), ElementsAre("1=one by alice")) << left;
    }
    ASSERT_TRUE(set("three"));
    EXPECT_EQ(history().front().substr(1), "=three by alice");
    EXPECT_EQ(history().size(), document() == "three" && left >= 2 ? 3U : 2U) << left;
  }
}

TEST_F(FileTrailTest, HostileTrailsStopNoChange) {
  ASSERT_TRUE(set("one"));
  const std::string file = top_.path() + "/history/config/a.jsonl";
  for (const std::string& hostile :
       {std::string(), std::string("\n\n\n"), std::string("{}\n{\n"), std::string("\xff\xfe\x00", 3),
        std::string(100'000, '['), std::string(20 << 20, 'x'), std::string(R"({"v":9})"),
        std::string(R"({"v":1,"number":18446744073709551615,"at":"2026-01-01T00:00:00Z","text":"x"})")}) {
    std::ofstream(file, std::ios::binary) << hostile;
    EXPECT_TRUE(store_.history(kKey, 10)) << hostile.substr(0, 20);
    EXPECT_TRUE(set(std::to_string(hostile.size()) + "!")) << hostile.substr(0, 20);
  }
}

TEST_F(FileTrailTest, LinksDoNotLeadOut) {
  ASSERT_TRUE(set("one"));
  TemporaryFolder elsewhere;
  std::ofstream(elsewhere.path() + "/secret") << "secret";
  const std::string file = top_.path() + "/history/config/a.jsonl";
  fs::remove(file);
  fs::create_symlink(elsewhere.path() + "/secret", file);
  EXPECT_FALSE(store_.history(kKey, 10));
  EXPECT_FALSE(set("two"));
  EXPECT_EQ(document(), "one");
  fs::remove(file);
  fs::create_symlink("a.jsonl", file);
  EXPECT_FALSE(store_.history(kKey, 10)) << "a link to itself";
  fs::remove(file);
  fs::create_directory(file);
  EXPECT_FALSE(set("two")) << "a folder in the place of the file";
  fs::remove(file);
  EXPECT_TRUE(set("two"));
}

}  // namespace
}  // namespace monitor::config
