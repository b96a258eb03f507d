#include "config/file/file_reader.h"

#include <fmt/format.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "base/trust.h"
#include "config/document.h"

namespace monitor::config {

namespace {

constexpr size_t kMostBelow = 1000;  // maximum number of files below a prefix
std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

std::string_view ending_of_key(const std::string& key) {
  if (key.starts_with(kPluginsRoot)) return ".lua";
  return key.starts_with(kRulesRoot) ? ".yaml" : ".json";
}

std::string path_of_key(const std::string& key) {
  const size_t root = key.starts_with(kKeyRoot) ? kKeyRoot.size() : key.starts_with('/') ? 1 : 0;
  return key.substr(root).append(ending_of_key(key));
}

std::string file_of_key(const std::string& folder, const std::string& key) { return folder + "/" + path_of_key(key); }

FileReader::FileReader(Disk& disk, FileSourceOptions options)
    : disk_(disk), options_(std::move(options)), inotify_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  if (!inotify_.valid()) {
    log_warning("files cannot be watched; they are read every 30 s instead",
                {{"reason", errno_error(errno, "inotify_init1")}});
  }
}

std::string FileReader::describe(const std::string& key) const {
  const auto own = options_.files.find(key);
  return own != options_.files.end() ? own->second : file_of_key(options_.folder, key);
}

FileReader::Found FileReader::read(const WatchSet& what) {
  Found found;
  // Watch before reading, so that no later change is missed.
  for (const std::string& prefix : what.prefixes) watch_folder_of(describe(prefix));
  const std::set<std::string> keys = keys_of(what);
  watch_folders(keys);
  if (const Status trusted = check_trusted(keys); !trusted) {
    found.fault = trusted.error();
    return found;
  }
  for (const std::string& key : keys) {
    bool exists = false;
    Entry entry = read_one(key, exists);
    if (exists) found.entries.emplace(key, std::move(entry));
  }
  return found;
}

// The watched keys, and the keys of files below watched prefixes.
std::set<std::string> FileReader::keys_of(const WatchSet& what) const {
  std::set<std::string> keys = what.keys;
  for (const std::string& prefix : what.prefixes) {
    std::error_code error;
    const std::string_view ending = ending_of_key(prefix);
    std::filesystem::directory_iterator at(folder_of(describe(prefix)), error);
    for (size_t count = 0; !error && at != std::filesystem::directory_iterator() && count < kMostBelow; ++count) {
      const std::string name = at->path().filename().string();
      const std::string stem = name.substr(0, name.size() - std::min(name.size(), ending.size()));
      if (name.ends_with(ending) && valid_name(stem)) keys.insert(prefix + stem);
      at.increment(error);
    }
  }
  return keys;
}

void FileReader::watch_folders(const std::set<std::string>& keys) {
  for (const std::string& key : keys) {
    const std::string path = describe(key);
    watch_folder_of(path);
    // If a link's target changes, the folder of the link does not. So the folder of the target is watched as well.
    std::array<char, PATH_MAX> resolved{};
    const bool own = options_.files.contains(key);
    if (realpath(path.c_str(), resolved.data()) == nullptr || path == resolved.data()) continue;
    if (own || is_below(resolved.data())) watch_folder_of(resolved.data());
  }
}

bool FileReader::is_below(const std::string& resolved) const {
  std::array<char, PATH_MAX> folder{};
  return realpath(options_.folder.c_str(), folder.data()) != nullptr &&
         resolved.starts_with(std::string(folder.data()) + "/");
}

void FileReader::watch_folder_of(const std::string& path) {
  // Watches the nearest existing ancestor: when the missing folder appears in it, the files are scanned again.
  std::string folder = folder_of(path);
  struct stat info{};
  while (stat(folder.c_str(), &info) != 0 && folder != "/" && folder != ".") folder = folder_of(folder);
  add_watch(folder);
}

void FileReader::add_watch(const std::string& folder) {
  if (!inotify_.valid()) return;
  // Adding a watch twice is harmless, and replaces the watch of a folder that was deleted and created again.
  const int wd = inotify_add_watch(inotify_.get(), folder.c_str(),
                                   IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB |
                                       IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR);
  if (wd < 0 && !folders_.contains(folder)) {
    log_warning("folder cannot be watched; its files are read every 30 s instead",
                {{"folder", folder}, {"reason", errno_error(errno, "inotify_add_watch")}});
  }
  folders_[folder] = wd;
}

// Anyone who can write to one of these folders controls the agent. Missing folders are checked when they appear.
Status FileReader::check_trusted(const std::set<std::string>& keys) const {
  std::set<std::string> folders = {options_.folder};
  for (const std::string& key : keys) {
    if (!options_.files.contains(key)) folders.insert(folder_of(describe(key)));
  }
  for (const std::string& folder : folders) {
    const Status trusted = check_folder_trusted(folder, "the configuration's folder");
    if (!trusted && trusted.error().code() == Code::kPermissionDenied) return trusted;
  }
  return {};
}

// A file named on the command line may be anywhere; the files of keys must be below the folder.
Entry FileReader::read_one(const std::string& key, bool& exists) const {
  const auto own = options_.files.find(key);
  auto content = own != options_.files.end() ? disk_.read_file(own->second, kMaxDocumentBytes)
                                             : disk_.read_beneath(options_.folder, path_of_key(key), kMaxDocumentBytes);
  exists = content.ok() || content.error().code() != Code::kNotFound;
  if (!content) return {"", content.error()};
  return {std::move(*content), std::nullopt};
}

}  // namespace monitor::config
