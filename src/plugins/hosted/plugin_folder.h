// The folder of plugins: NAME.so are native ones, NAME.lua scripts. Watched with inotify, also before it is there. It
// is read on a thread of its own, as it may lie on a mount that hangs: then what was found last stays. Everything else
// on the loop's thread; the loop must outlive it.
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
    std::string version;      // another one is another content
    std::string fault = {};   // why it can be no plugin; empty: it may be one
    std::string source = {};  // of a script

    bool operator==(const File&) const = default;
  };
  // By the plugin's name; two files where the name stands for two.
  using Files = std::map<std::string, std::vector<File>>;

  PluginFolder(EventLoop& loop, std::string folder);
  ~PluginFolder();
  PluginFolder(const PluginFolder&) = delete;
  PluginFolder& operator=(const PluginFolder&) = delete;

  // Reads it, for 2 s at most, and tells of every change from then on.
  void watch(std::function<void()> on_change);
  const Files& files() const { return files_; }
  const std::string& path() const { return folder_; }

  // `misnamed` gets the files that would be plugins, had they names that plugins can have.
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
  bool settling_ = false;  // something has happened that the timer is to look at
  int64_t looked_ns_ = 0;
  bool starting_ = false;    // nobody is told of what watch() finds
  bool scan_again_ = false;  // after the look that is under way
  bool late_ = false;
  Aside aside_;  // ends first: it reads with what is above
};

}  // namespace monitor::agent
