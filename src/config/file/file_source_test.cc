// FileSource on a real folder with real inotify; the loop runs until a condition is true.
#include "config/file/file_source.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "base/testing/manual_worker.h"
#include "config/file/file_store.h"

namespace monitor::config {
namespace {

namespace fs = std::filesystem;

const std::string kKey = "/monitor/config/a";

class FileSourceTest : public ::testing::Test, protected ConfigListener {
 protected:
  void SetUp() override {
    std::string pattern = fs::temp_directory_path().string() + "/file-source-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    file_ = folder_ + "/conf/config/a.json";
    restart();
  }
  void TearDown() override {
    source_.reset();
    fs::remove_all(folder_);
  }

  void restart() {
    source_.reset();
    source_ = std::make_unique<FileSource>(loop_, disk_, worker_,
                                           FileSourceOptions{folder_ + "/conf", {}, folder_ + "/state.json"});
  }
  void watch() { source_->watch({{kKey, "/monitor/defaults"}}, *this); }

  void write(const std::string& path, const std::string& text) {
    fs::create_directories(fs::path(path).parent_path());
    std::ofstream(path) << text;
  }
  // Runs the loop until the condition is true; returns false after 5 s.
  bool until(const std::function<bool()>& condition) {
    const int64_t end = clock_.mono_ns() + 5 * kNanosPerSecond;
    while (!condition() && clock_.mono_ns() < end) loop_.run_once(50 * kNanosPerMilli);
    return condition();
  }
  bool comes(const std::string& value) {
    return until([&] {
      const auto found = keys_.entries.find(kKey);
      return found != keys_.entries.end() && found->second.value == value;
    });
  }

  void on_keys(const KeySet& keys) override {
    keys_ = keys;
    ++calls_;
  }
  void on_source_lost(const Error&) override {}

  SystemClock clock_;
  EventLoop loop_{clock_};
  PosixDisk disk_;
  ThreadWorker worker_{loop_};
  std::string folder_;
  std::string file_;
  std::unique_ptr<FileSource> source_;
  KeySet keys_;
  int calls_ = 0;
};

TEST_F(FileSourceTest, ReportsRevisionZeroWithoutFiles) {
  watch();
  EXPECT_EQ(calls_, 1);
  EXPECT_EQ(keys_.revision, 0);
  EXPECT_TRUE(keys_.entries.empty());
}

TEST_F(FileSourceTest, SeesAFileThatAppearsInANewFolder) {
  watch();
  write(file_, R"({"interval":1})");
  EXPECT_TRUE(comes(R"({"interval":1})"));
  EXPECT_EQ(keys_.revision, 1);
}

TEST_F(FileSourceTest, SeesEveryWayOfWriting) {
  write(file_, "{}");
  watch();
  EXPECT_TRUE(comes("{}"));
  write(file_, R"({"interval":1})");  // truncate and write
  EXPECT_TRUE(comes(R"({"interval":1})"));
  write(folder_ + "/conf/config/new", R"({"interval":2})");  // rename over
  fs::rename(folder_ + "/conf/config/new", file_);
  EXPECT_TRUE(comes(R"({"interval":2})"));
  write(folder_ + "/conf/..one/a.json", R"({"interval":3})");  // symlink, then a swap of the symlink
  write(folder_ + "/conf/..two/a.json", R"({"interval":4})");
  fs::remove(file_);
  fs::create_symlink("../..one/a.json", file_);
  EXPECT_TRUE(comes(R"({"interval":3})"));
  fs::create_symlink("../..two/a.json", folder_ + "/conf/config/link");
  fs::rename(folder_ + "/conf/config/link", file_);
  EXPECT_TRUE(comes(R"({"interval":4})"));
  write(folder_ + "/conf/..two/a.json", R"({"interval":5})");  // a write through the symlink
  EXPECT_TRUE(comes(R"({"interval":5})"));
  fs::remove(file_);
  EXPECT_TRUE(until([&] { return keys_.entries.empty(); }));
}

TEST_F(FileSourceTest, ReportsALinkOutOfTheFolderAsAFault) {
  write(folder_ + "/elsewhere/secret.json", R"({"interval":7})");
  fs::create_directories(folder_ + "/conf/config");
  fs::create_symlink("../../elsewhere/secret.json", file_);
  watch();
  ASSERT_TRUE(keys_.entries.contains(kKey));
  ASSERT_TRUE(keys_.entries[kKey].fault);
  EXPECT_NE(keys_.entries[kKey].fault->message().find("leads outside of"), std::string::npos);
  EXPECT_EQ(keys_.entries[kKey].value, "");
}

TEST_F(FileSourceTest, HostileKeysAreNotWatched) {
  write(folder_ + "/elsewhere/secret.json", R"({"interval":7})");
  write(file_, "{}");
  source_->watch({{kKey, "/monitor/../elsewhere/secret", "/monitor/config/a/"}, {"/monitor/../elsewhere/"}}, *this);
  ASSERT_EQ(keys_.entries.size(), 1U);
  EXPECT_EQ(keys_.entries.begin()->first, kKey);
}

TEST_F(FileSourceTest, FileFromTheCommandLineMayBeALinkAnywhere) {
  write(folder_ + "/elsewhere/mine.json", "{}");
  fs::create_symlink(folder_ + "/elsewhere/mine.json", folder_ + "/link.json");
  source_ = std::make_unique<FileSource>(loop_, disk_, worker_,
                                         FileSourceOptions{folder_ + "/conf", {{kKey, folder_ + "/link.json"}}, ""});
  watch();
  EXPECT_TRUE(comes("{}"));
}

TEST_F(FileSourceTest, RereadsAnIncompleteFileBeforeReportingIt) {
  write(file_, R"({"interval":1})");
  watch();
  const int before = calls_;
  write(file_, R"({"interv)");
  const int64_t start = clock_.mono_ns();
  while (clock_.mono_ns() - start < 300 * kNanosPerMilli) loop_.run_once(20 * kNanosPerMilli);
  EXPECT_EQ(calls_, before) << "it must not be reported while it may still be written";
  write(file_, R"({"interval":2})");
  EXPECT_TRUE(comes(R"({"interval":2})"));
  EXPECT_EQ(calls_, before + 1);
  write(file_, "{");
  EXPECT_TRUE(comes("{")) << "reported after a second";
  EXPECT_GE(clock_.mono_ns() - start, 1200 * kNanosPerMilli);
}

TEST_F(FileSourceTest, TooLargeAndUnreadableAreFaults) {
  watch();
  write(file_, std::string(8'000'000, ' '));
  ASSERT_TRUE(until([&] { return keys_.entries.contains(kKey); }));
  ASSERT_TRUE(keys_.entries[kKey].fault);
  EXPECT_NE(keys_.entries[kKey].fault->message().find("8000000 bytes, the limit is 262144"), std::string::npos);
  fs::remove(file_);
  fs::create_directories(file_);
  EXPECT_TRUE(until([&] {
    return keys_.entries.contains(kKey) && keys_.entries[kKey].fault &&
           keys_.entries[kKey].fault->message().find("directory") != std::string::npos;
  }));
}

TEST_F(FileSourceTest, RevisionContinuesAfterARestart) {
  write(file_, R"({"interval":1})");
  watch();
  EXPECT_EQ(keys_.revision, 1);
  write(file_, R"({"interval":2})");
  ASSERT_TRUE(comes(R"({"interval":2})"));
  EXPECT_EQ(keys_.revision, 2);
  restart();
  watch();
  EXPECT_EQ(keys_.revision, 2) << "the same contents";
  write(file_, R"({"interval":3})");
  ASSERT_TRUE(comes(R"({"interval":3})"));
  EXPECT_EQ(keys_.revision, 3);
}

TEST_F(FileSourceTest, ReportsNewContentsAfterTheirRevisionIsOnDisk) {
  ManualWorker worker;
  source_ = std::make_unique<FileSource>(loop_, disk_, worker,
                                         FileSourceOptions{folder_ + "/conf", {}, folder_ + "/state.json"});
  write(file_, R"({"interval":1})");
  watch();
  ASSERT_EQ(keys_.revision, 1) << "the start must wait for the disk";
  write(file_, R"({"interval":2})");
  ASSERT_TRUE(until([&] { return !worker.idle(); }));
  write(file_, R"({"interval":3})");
  write(file_, R"({"interval":4})");
  loop_.run_once(200 * kNanosPerMilli);
  loop_.run_once(0);
  EXPECT_EQ(keys_.revision, 1) << "the disk is slow";
  ASSERT_TRUE(worker.run_one());
  EXPECT_EQ(keys_.revision, 2);
  EXPECT_EQ(keys_.entries.at(kKey).value, R"({"interval":2})");
  ASSERT_TRUE(until([&] {
    worker.run_all();
    return keys_.entries.at(kKey).value == R"({"interval":4})";
  }));
  EXPECT_EQ(keys_.revision, 3);
  EXPECT_EQ(calls_, 3) << "contents replaced while the disk was slow must not be reported";
  source_.reset();
}

TEST_F(FileSourceTest, StoreWritesWhatTheSourceReads) {
  watch();
  FileStore store(disk_, folder_ + "/conf");
  const auto set = [&](const std::string& text) {
    return store.update(
        kKey, [&](const std::optional<Stored>&) -> Result<std::optional<std::string>> { return std::optional(text); });
  };
  ASSERT_TRUE(set(R"({"interval":1})"));
  EXPECT_TRUE(comes(R"({"interval":1})"));
  const auto all = store.list("/monitor/");
  ASSERT_TRUE(all);
  EXPECT_EQ(all->size(), 1U);
  ASSERT_TRUE(store.update(kKey, [](const std::optional<Stored>&) -> Result<std::optional<std::string>> {
    return std::optional<std::string>();
  }));
  EXPECT_TRUE(until([&] { return keys_.entries.empty(); }));
}

}  // namespace
}  // namespace monitor::config
