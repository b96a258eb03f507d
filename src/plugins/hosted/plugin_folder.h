// PluginFolder: the folder of plugins: native ones (NAME.so), scripts (NAME.lua), and classes in Python
// (agent/plugins/MODULE.py). It is watched with inotify, even
// before it exists. A separate thread reads it, because it may be on a mount that hangs; until the mount answers, the
// last result stays valid. Everything else is on the loop's thread; the loop must outlive it.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/aside.h"
#include "base/disk.h"
#include "base/event_loop.h"
#include "config/settings.h"

namespace monitor::agent {

class PluginFolder {
 public:
  static constexpr std::string_view kMisnamed = "a plugin's name is 1 to 128 of [A-Za-z0-9._-]";

  struct File {
    std::string path;
    config::PluginKind kind{};
    std::string version;      // changes with the content
    std::string fault = {};   // why it cannot be used as a plugin; empty: it can
    std::string source = {};  // of a script only

    bool operator==(const File&) const = default;
  };
  // By plugin name; a name with two files is ambiguous. A Python file that has no class, or cannot be read, has the
  // name of its module.
  using Files = std::map<std::string, std::vector<File>>;

  PluginFolder(EventLoop& loop, std::string folder);
  ~PluginFolder();
  PluginFolder(const PluginFolder&) = delete;
  PluginFolder& operator=(const PluginFolder&) = delete;

  // Reads the folder, waiting for at most 2 s, and reports every later change.
  void watch(std::function<void()> on_change);
  const Files& files() const { return files_; }
  const std::string& path() const { return folder_; }

  // `misnamed` receives the files whose names are not valid for a plugin.
  static Files read(const std::string& folder, std::vector<std::string>* misnamed = nullptr);

 private:
  void on_inotify();
  void schedule(int64_t delay_ns);
  void scan();
  void on_late();
  void look(Files now, std::vector<std::string> misnamed);

  EventLoop& loop_;
  std::string folder_;
  std::function<void()> on_change_;
  Files files_;
  std::vector<std::string> misnamed_;
  Fd inotify_;
  Timers::TimerId timer_ = 0;
  bool settling_ = false;  // a change waits for the timer
  int64_t looked_ns_ = 0;
  bool starting_ = false;    // during watch(), which does not report what it finds
  bool scan_again_ = false;  // scan again after the scan in progress
  bool late_ = false;
  Aside aside_;  // destroyed first, because it uses the members above
};

}  // namespace monitor::agent
