// Address files of `monitor up` are found while their process runs, and ignored if somebody else may have written them.
#include "bin/common/running.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace monitor {
namespace {

namespace fs = std::filesystem;

class RunningTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = fs::temp_directory_path().string() + "/running-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    top_ = pattern;
    data_ = top_ + "/data";
    ASSERT_EQ(mkdir(data_.c_str(), 0700), 0);
    setenv("XDG_RUNTIME_DIR", (top_ + "/run").c_str(), 1);  // NOLINT(concurrency-mt-unsafe): one thread
  }
  void TearDown() override { fs::remove_all(top_); }

  RunningSystem system() const {
    RunningSystem system;
    system.data = data_;
    system.log = "sqlite:" + data_ + "/log.db";
    system.config_dir = data_ + "/monitor";
    system.etcd = {"--etcd", "localhost:2379"};
    return system;
  }
  std::string file() const { return data_ + "/running.json"; }
  std::string user_file() const { return top_ + "/run/monitor/up-" + std::to_string(getpid()) + ".json"; }
  std::string content() const {
    std::ostringstream text;
    text << std::ifstream(file()).rdbuf();
    return text.str();
  }
  void write(const std::string& path, const std::string& text) const {
    std::ofstream(path) << text;
    ASSERT_EQ(chmod(path.c_str(), 0600), 0);
  }

  std::string top_;
  std::string data_;
  PosixDisk disk_;
};

TEST_F(RunningTest, FindsARunningSystemByFolderAndByUser) {
  {
    RunningFiles files(disk_);
    ASSERT_TRUE(files.publish(system()));
    struct stat info{};
    for (const std::string& path : {file(), user_file()}) {
      ASSERT_EQ(stat(path.c_str(), &info), 0) << path;
      EXPECT_EQ(info.st_mode & 07777, 0600U) << path;
    }
    const auto here = running_on(data_);
    ASSERT_TRUE(here);
    EXPECT_EQ(here->log, system().log);
    EXPECT_EQ(here->etcd, system().etcd);
    const auto found = find_running();
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->data, data_);
    RunningSystem later = system();
    later.server = "127.0.0.1:1234";
    ASSERT_TRUE(files.publish(later));
    EXPECT_EQ(running_on(data_)->server, "127.0.0.1:1234");
  }
  EXPECT_FALSE(fs::exists(file()));
  EXPECT_FALSE(running_on(data_));
  const auto found = find_running();
  ASSERT_TRUE(found);
  EXPECT_FALSE(*found);
}

TEST_F(RunningTest, IgnoresAFileWhoseProcessHasEnded) {
  RunningFiles files(disk_);
  ASSERT_TRUE(files.publish(system()));
  const auto published = parse_running(content());
  ASSERT_TRUE(published);
  for (int kind = 0; kind < 3; ++kind) {
    RunningSystem stale = *published;
    if (kind == 0) stale.started += 1;  // another process with the same id
    if (kind == 1) stale.boot = "00000000-0000-0000-0000-000000000000";
    if (kind == 2) {
      const pid_t child = fork();
      if (child == 0) _exit(0);
      ASSERT_EQ(waitpid(child, nullptr, 0), child);
      stale.pid = child;
    }
    write(file(), to_json(stale));
    EXPECT_FALSE(running_on(data_)) << kind;
    write(file(), to_json(*published));
    EXPECT_TRUE(running_on(data_)) << kind;
  }
}

TEST_F(RunningTest, RemovesTheFileOfAKilledProcess) {
  ASSERT_TRUE(disk_.make_folder(top_ + "/run/monitor"));
  RunningSystem dead = system();
  dead.pid = getpid();
  dead.started = 1;
  write(top_ + "/run/monitor/up-1.json", to_json(dead));
  RunningFiles files(disk_);
  ASSERT_TRUE(files.publish(system()));
  EXPECT_FALSE(fs::exists(top_ + "/run/monitor/up-1.json"));
  EXPECT_TRUE(fs::exists(user_file()));
}

TEST_F(RunningTest, TrustsOnlyAPrivateFileOfThisUser) {
  RunningFiles files(disk_);
  ASSERT_TRUE(files.publish(system()));
  ASSERT_EQ(chmod(file().c_str(), 0640), 0);
  EXPECT_FALSE(running_on(data_)) << "others can read it";
  ASSERT_EQ(chmod(file().c_str(), 0600), 0);
  EXPECT_TRUE(running_on(data_));
  fs::rename(file(), data_ + "/elsewhere.json");
  fs::create_symlink(data_ + "/elsewhere.json", file());
  EXPECT_FALSE(running_on(data_)) << "a link must not be followed";
  fs::remove(file());
  fs::rename(data_ + "/elsewhere.json", file());
  ASSERT_EQ(chmod(data_.c_str(), 0777), 0);
  EXPECT_FALSE(running_on(data_)) << "others can replace it";
  ASSERT_EQ(chmod(data_.c_str(), 0700), 0);
  if (geteuid() == 0) {
    ASSERT_EQ(chown(file().c_str(), 4242, static_cast<gid_t>(-1)), 0);
    EXPECT_FALSE(running_on(data_)) << "another user's";
  }
}

TEST_F(RunningTest, RejectsSeveralRunningSystems) {
  RunningFiles files(disk_);
  ASSERT_TRUE(files.publish(system()));
  fs::copy(user_file(), top_ + "/run/monitor/up-0.json");
  const auto found = find_running();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code(), Code::kFailedPrecondition);
  EXPECT_NE(found.error().message().find("--data"), std::string::npos);
}

TEST_F(RunningTest, RejectsFilesThatAreNotAddressFiles) {
  for (const std::string text : {"", "{}", "[]", "{\"pid\": \"1\"}", "null", "\xff"})
    EXPECT_FALSE(parse_running(text)) << text;
}

}  // namespace
}  // namespace monitor
