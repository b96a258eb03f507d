#include "plugins/hosted/plugin_folder.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "config/document.h"
#include "plugins/hosted/python_files.h"

namespace monitor::agent {

namespace {

// Events come in bursts. A scan starts once there was no event for kSettle, so a copy causes one scan after its last
// write. While a file is written continuously, a scan starts every kLookAtMostEvery.
constexpr int64_t kSettle = 20 * kNanosPerMilli;
constexpr int64_t kLookAtMostEvery = 100 * kNanosPerMilli;
// inotify does not see changes on network filesystems.
constexpr int64_t kReconcileEvery = 30 * kNanosPerSecond;
// A scan that takes longer counts as hung. A start waits this long at most.
constexpr int64_t kPatience = 2 * kNanosPerSecond;
constexpr size_t kMostFiles = 1000;

std::string version_of(const struct stat& info) {
  return fmt::format("{}:{}:{}:{}.{:09}", info.st_dev, info.st_ino, info.st_size, info.st_mtim.tv_sec,
                     info.st_mtim.tv_nsec);
}

PluginFolder::File look_at(const std::string& path, config::PluginKind kind) {
  struct stat info{};
  PluginFolder::File file{path, kind, ""};
  if (stat(path.c_str(), &info) != 0) {
    file.fault = errno_error(errno, path).message();
    return file;
  }
  file.version = version_of(info);
  if (!S_ISREG(info.st_mode)) file.fault = path + " is not a regular file";
  if (S_ISDIR(info.st_mode)) file.fault = path + " is a folder, not a file";
  if (kind != config::PluginKind::kScript || !file.fault.empty()) return file;
  auto source = PosixDisk().read_file(path, config::kMaxDocumentBytes);
  if (source) {
    file.source = std::move(*source);
  } else {
    file.fault = source.error().message();
  }
  return file;
}

void add_python(const std::string& folder, PluginFolder::Files& files) {
  const auto version = [](const std::string& path) {
    struct stat info{};
    return stat(path.c_str(), &info) == 0 ? version_of(info) : std::string();
  };
  for (PythonFile& one : find_python_files(folder, version)) {
    PluginFolder::File file{one.path, config::PluginKind::kPython, one.version, one.fault};
    if (file.fault.empty() && one.classes.empty()) file.fault = one.path + " has no class";
    if (!file.fault.empty()) files[one.module].push_back(file);
    for (const std::string& name : one.classes) files[fmt::format("{}.{}", one.module, name)].push_back(file);
  }
}

// Watches the nearest existing parent. When the missing folder appears in it, the next scan calls this again.
void add_watch(int inotify, const std::string& of) {
  if (inotify < 0) return;
  std::filesystem::path folder = of;
  std::error_code error;
  while (!std::filesystem::is_directory(folder, error) && folder.has_relative_path()) folder = folder.parent_path();
  if (folder.empty()) folder = ".";
  inotify_add_watch(inotify, folder.c_str(),
                    IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_DELETE_SELF |
                        IN_MOVE_SELF | IN_ATTRIB | IN_ONLYDIR);
}

}  // namespace

PluginFolder::PluginFolder(EventLoop& loop, std::string folder)
    : loop_(loop), folder_(std::move(folder)), aside_(loop) {}

PluginFolder::~PluginFolder() {
  if (inotify_.valid()) loop_.unwatch(inotify_.get());
  loop_.cancel_timer(timer_);
}

PluginFolder::Files PluginFolder::read(const std::string& folder, std::vector<std::string>* misnamed) {
  Files files;
  std::error_code error;
  std::filesystem::directory_iterator at(folder, error);
  for (size_t count = 0; !error && at != std::filesystem::directory_iterator() && count < kMostFiles; ++count) {
    const std::string ending = at->path().extension().string();
    const std::string stem = at->path().stem().string();
    const bool wanted = (ending == ".so" || ending == ".lua") && !stem.starts_with(".");
    if (wanted && valid_name(stem)) {
      files[stem].push_back(
          look_at(at->path(), ending == ".so" ? config::PluginKind::kNative : config::PluginKind::kScript));
    } else if (wanted && misnamed != nullptr) {
      misnamed->push_back(at->path().string());
    }
    at.increment(error);
  }
  add_python(folder, files);
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
  starting_ = true;
  scan();
  if (!aside_.wait(kPatience)) on_late();
  starting_ = false;
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

void PluginFolder::on_late() {
  if (std::exchange(late_, true)) return;
  log_warning("the plugin folder does not answer; running plugins continue", {{"folder", folder_}});
}

void PluginFolder::look(Files now, std::vector<std::string> misnamed) {
  if (std::exchange(late_, false)) log_info("the plugin folder answers again", {{"folder", folder_}});
  if (std::exchange(scan_again_, false)) schedule(0);
  std::sort(misnamed.begin(), misnamed.end());
  for (const std::string& file : misnamed) {
    if (std::binary_search(misnamed_.begin(), misnamed_.end(), file)) continue;
    log_warning("plugin file is ignored; rename it", {{"file", file}, {"reason", kMisnamed}});
  }
  misnamed_ = std::move(misnamed);
  if (now == files_) return;
  files_ = std::move(now);
  if (!starting_) on_change_();
}

void PluginFolder::scan() {
  settling_ = false;
  looked_ns_ = loop_.clock().mono_ns();
  schedule(kReconcileEvery);
  if (!aside_.idle()) {
    scan_again_ = true;
    return;
  }
  struct Look {
    Files files;
    std::vector<std::string> misnamed;
  };
  auto found = std::make_shared<Look>();
  aside_.start(
      [folder = folder_, inotify = inotify_.get(), found] {
        for (const char* const below : {"", "/agent", "/agent/plugins", "/shared"}) add_watch(inotify, folder + below);
        // The analyzer mistakes a captured std::shared_ptr for null.
        // NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage)
        found->files = read(folder, &found->misnamed);
      },
      [this, found] { look(std::move(found->files), std::move(found->misnamed)); }, kPatience, [this] { on_late(); });
}

}  // namespace monitor::agent
