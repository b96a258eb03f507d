#include "agent/plugins/plugin_folder.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "base/log.h"
#include "base/text.h"

namespace monitor::agent {

namespace {

// Events come in bursts: what a copy writes is looked at once. But not later for what is written on and on: then it is
// looked every so often.
constexpr int64_t kSettle = 20 * kNanosPerMilli;
constexpr int64_t kLookAtMostEvery = 100 * kNanosPerMilli;
// inotify says nothing of network filesystems.
constexpr int64_t kReconcileEvery = 30 * kNanosPerSecond;
constexpr size_t kMostFiles = 1000;

std::string version_of(const struct stat& info) {
  return fmt::format("{}:{}:{}:{}.{:09}", info.st_dev, info.st_ino, info.st_size, info.st_mtim.tv_sec,
                     info.st_mtim.tv_nsec);
}

}  // namespace

PluginFolder::PluginFolder(EventLoop& loop, std::string folder) : loop_(loop), folder_(std::move(folder)) {}

PluginFolder::~PluginFolder() {
  if (inotify_.valid()) loop_.unwatch(inotify_.get());
  loop_.cancel_timer(timer_);
}

PluginFolder::Files PluginFolder::read(const std::string& folder) {
  Files files;
  std::error_code error;
  std::filesystem::directory_iterator at(folder, error);
  for (size_t count = 0; !error && at != std::filesystem::directory_iterator() && count < kMostFiles; ++count) {
    const std::string ending = at->path().extension().string();
    const std::string stem = at->path().stem().string();
    struct stat info{};
    const bool wanted = (ending == ".so" || ending == ".lua") && valid_name(stem) && !stem.starts_with(".");
    if (wanted && stat(at->path().c_str(), &info) == 0 && S_ISREG(info.st_mode)) {
      const auto kind = ending == ".so" ? config::PluginKind::kNative : config::PluginKind::kScript;
      files[stem].push_back({at->path().string(), kind, version_of(info)});
    }
    at.increment(error);
  }
  return files;
}

void PluginFolder::watch(std::function<void()> on_change) {
  on_change_ = std::move(on_change);
  inotify_ = Fd(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (inotify_.valid()) {
    loop_.watch(inotify_.get(), EPOLLIN, [this](uint32_t) { on_inotify(); });
  } else {
    log_warning("the plugin folder cannot be watched; it is read every 30 s instead",
                {{"folder", folder_}, {"reason", errno_error(errno, "inotify_init1")}});
  }
  add_watch();
  files_ = read(folder_);
  schedule(kReconcileEvery);
}

// The nearest folder that is there: when a missing one appears in it, the scan comes back here.
void PluginFolder::add_watch() {
  if (!inotify_.valid()) return;
  std::filesystem::path folder = folder_;
  std::error_code error;
  while (!std::filesystem::is_directory(folder, error) && folder.has_relative_path()) folder = folder.parent_path();
  if (folder.empty()) folder = ".";
  inotify_add_watch(inotify_.get(), folder.c_str(),
                    IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_DELETE_SELF |
                        IN_MOVE_SELF | IN_ATTRIB | IN_ONLYDIR);
}

void PluginFolder::on_inotify() {
  alignas(inotify_event) std::array<char, 4096> buffer{};
  bool any = false;
  while (::read(inotify_.get(), buffer.data(), buffer.size()) > 0) any = true;
  if (!any || settling_) return;
  settling_ = true;
  const int64_t now = loop_.clock().mono_ns();
  schedule(std::max(kSettle, looked_ns_ + kLookAtMostEvery - now));
}

void PluginFolder::schedule(int64_t delay_ns) {
  loop_.cancel_timer(timer_);
  timer_ = loop_.call_after(delay_ns, [this] { scan(); });
}

void PluginFolder::scan() {
  settling_ = false;
  looked_ns_ = loop_.clock().mono_ns();
  add_watch();
  schedule(kReconcileEvery);
  Files now = read(folder_);
  if (now == files_) return;
  files_ = std::move(now);
  on_change_();
}

}  // namespace monitor::agent
