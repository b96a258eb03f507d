// Watching a real folder of plugins.
#include "plugins/hosted/plugin_folder.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace monitor::agent {
namespace {

struct World {
  World() {
    std::filesystem::remove_all(path);
    std::filesystem::create_directories(path);
    folder.watch([this] { ++changes; });
  }
  ~World() { std::filesystem::remove_all(path); }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  void write(const std::string& name) const { std::ofstream(path + "/" + name) << "x"; }

  std::string path = testing::TempDir() + "plugin_folder_test";
  SystemClock clock;
  EventLoop loop{clock};
  PluginFolder folder{loop, path};
  int changes = 0;
};

TEST(PluginFolder, ContinuousWritesDoNotDelayAScan) {
  World w;
  w.write("mine.lua");
  const int64_t end = w.clock.mono_ns() + 10 * kNanosPerSecond;
  while (!w.folder.files().contains("mine") && w.clock.mono_ns() < end) {
    w.write("other.tmp");  // the folder is never quiet
    w.loop.run_once(kNanosPerMilli);
  }
  EXPECT_TRUE(w.folder.files().contains("mine"));
  EXPECT_EQ(w.changes, 1);
  EXPECT_EQ(w.folder.files().count("other"), 0U);
}

TEST(PluginFolder, SeesAFolderThatAppearsLater) {
  World w;
  std::filesystem::remove_all(w.path);
  PluginFolder late(w.loop, w.path + "/a/b");
  int changes = 0;
  late.watch([&] { ++changes; });
  std::filesystem::create_directories(w.path + "/a/b");
  w.write("a/b/mine.so");
  const int64_t end = w.clock.mono_ns() + 10 * kNanosPerSecond;
  while (changes == 0 && w.clock.mono_ns() < end) w.loop.run_once(10 * kNanosPerMilli);
  EXPECT_TRUE(late.files().contains("mine"));
}

}  // namespace
}  // namespace monitor::agent
