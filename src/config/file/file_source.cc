#include "config/file/file_source.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/epoll.h>
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

#include "base/crc32c.h"
#include "base/log.h"
#include "base/text.h"
#include "base/trust.h"
#include "config/document.h"

namespace monitor::config {

namespace {

constexpr int64_t kRetryIncomplete = 50 * kNanosPerMilli;
constexpr int64_t kIncompleteFor = kNanosPerSecond;
// inotify says nothing of network filesystems, and events can be lost when its queue is full.
constexpr int64_t kReconcileEvery = 30 * kNanosPerSecond;
constexpr size_t kMostBelow = 1000;  // files below a prefix
std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

uint32_t checksum_of(const std::map<std::string, Entry>& entries) {
  uint32_t crc = 0;
  for (const auto& [key, entry] : entries) {
    const std::string text = entry.fault ? entry.fault->message() : entry.value;
    crc = crc32c(fmt::format("{}={}:{};", key, text.size(), text), crc);
  }
  return crc;
}

}  // namespace

std::string_view ending_of_key(const std::string& key) { return key.starts_with(kPluginsRoot) ? ".lua" : ".json"; }

std::string path_of_key(const std::string& key) {
  const size_t root = key.starts_with(kKeyRoot) ? kKeyRoot.size() : key.starts_with('/') ? 1 : 0;
  return key.substr(root).append(ending_of_key(key));
}

std::string file_of_key(const std::string& folder, const std::string& key) { return folder + "/" + path_of_key(key); }

FileSource::FileSource(EventLoop& loop, Disk& disk, Worker& worker, FileSourceOptions options)
    : loop_(loop),
      disk_(disk),
      options_(std::move(options)),
      state_(worker, disk, options_.state_file, [this](const Status& written) { on_state_written(written); }) {
  load_state();
}

FileSource::~FileSource() {
  if (inotify_.valid()) loop_.unwatch(inotify_.get());
  loop_.cancel_timer(scan_timer_);
  loop_.cancel_timer(reconcile_timer_);
}

std::string FileSource::describe(const std::string& key) const {
  const auto own = options_.files.find(key);
  return own != options_.files.end() ? own->second : file_of_key(options_.folder, key);
}

void FileSource::watch(const WatchSet& what, ConfigListener& listener) {
  what_ = valid_part(what);
  read_any_ = false;
  listener_ = &listener;
  if (!inotify_.valid()) {
    inotify_ = Fd(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    if (inotify_.valid()) {
      loop_.watch(inotify_.get(), EPOLLIN, [this](uint32_t) { on_inotify(); });
    } else {
      log_warning("files cannot be watched; they are read every 30 s instead",
                  {{"reason", errno_error(errno, "inotify_init1")}});
    }
  }
  scan(true);
}

void FileSource::rescan() { schedule_scan(0); }

// Those that are watched by name, and those of which there is a file below a prefix.
std::set<std::string> FileSource::keys() const {
  std::set<std::string> keys = what_.keys;
  for (const std::string& prefix : what_.prefixes) {
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

void FileSource::watch_folders(const std::set<std::string>& keys) {
  for (const std::string& key : keys) {
    const std::string path = describe(key);
    watch_folder_of(path);
    // A symlink's target changes without a sign in the link's own folder.
    std::array<char, PATH_MAX> resolved{};
    const bool own = options_.files.contains(key);
    if (realpath(path.c_str(), resolved.data()) == nullptr || path == resolved.data()) continue;
    if (own || is_below(resolved.data())) watch_folder_of(resolved.data());
  }
}

bool FileSource::is_below(const std::string& resolved) const {
  std::array<char, PATH_MAX> folder{};
  return realpath(options_.folder.c_str(), folder.data()) != nullptr &&
         resolved.starts_with(std::string(folder.data()) + "/");
}

void FileSource::watch_folder_of(const std::string& path) {
  // The nearest folder that is there: when a missing one appears in it, the scan comes back here.
  std::string folder = folder_of(path);
  struct stat info{};
  while (stat(folder.c_str(), &info) != 0 && folder != "/" && folder != ".") folder = folder_of(folder);
  add_watch(folder);
}

void FileSource::add_watch(const std::string& folder) {
  if (!inotify_.valid()) return;
  // Adding a folder again is harmless, and finds one that was removed and made anew.
  const int wd = inotify_add_watch(inotify_.get(), folder.c_str(),
                                   IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB |
                                       IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR);
  if (wd < 0 && !folders_.contains(folder)) {
    log_warning("folder cannot be watched; its files are read every 30 s instead",
                {{"folder", folder}, {"reason", errno_error(errno, "inotify_add_watch")}});
  }
  folders_[folder] = wd;
}

void FileSource::on_inotify() {
  alignas(inotify_event) std::array<char, 4096> buffer{};
  bool any = false;
  while (::read(inotify_.get(), buffer.data(), buffer.size()) > 0) any = true;
  if (any) schedule_scan(0);
}

void FileSource::schedule_scan(int64_t delay_ns) {
  const int64_t due = loop_.clock().mono_ns() + delay_ns;
  if (scan_timer_ != 0 && scan_due_ <= due) return;
  loop_.cancel_timer(scan_timer_);
  scan_due_ = due;
  scan_timer_ = loop_.call_at(due, [this] {
    scan_timer_ = 0;
    scan(false);
  });
}

// Who can write to one of the folders decides what this agent does. Those that are not there yet will be looked at.
Status FileSource::check_trusted(const std::set<std::string>& keys) const {
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

// A file that the command line names is read wherever it is; those that keys name, below the folder.
Entry FileSource::read(const std::string& key, bool& exists) const {
  const auto own = options_.files.find(key);
  auto content = own != options_.files.end() ? disk_.read_file(own->second, kMaxDocumentBytes)
                                             : disk_.read_beneath(options_.folder, path_of_key(key), kMaxDocumentBytes);
  exists = content.ok() || content.error().code() != Code::kNotFound;
  if (!content) return {"", content.error()};
  return {std::move(*content), std::nullopt};
}

void FileSource::scan(bool first) {
  if (!first) starting_ = false;
  // Watched before they are read: what changes after that is reported.
  for (const std::string& prefix : what_.prefixes) watch_folder_of(describe(prefix));
  const std::set<std::string> keys = this->keys();
  watch_folders(keys);
  loop_.cancel_timer(reconcile_timer_);
  reconcile_timer_ = loop_.call_after(kReconcileEvery, [this] { scan(false); });
  if (const Status trusted = check_trusted(keys); !trusted) {
    lost_ = true;
    listener_->on_source_lost(trusted.error());
    return;
  }
  if (std::exchange(lost_, false)) read_any_ = false;  // told again, though it may be as before

  const int64_t now = loop_.clock().mono_ns();
  std::map<std::string, Entry> entries;
  for (const std::string& key : keys) {
    bool exists = false;
    Entry entry = read(key, exists);
    if (!exists) {
      incomplete_since_.erase(key);
      continue;
    }
    const auto before = read_.find(key);
    const bool known = before != read_.end() && before->second == entry;
    const bool json = ending_of_key(key) == ".json";
    if (json && !known && !entry.fault && !nlohmann::json::accept(entry.value) && !first) {
      const int64_t since = incomplete_since_.emplace(key, now).first->second;
      if (now - since < kIncompleteFor) {
        schedule_scan(kRetryIncomplete);
        if (before != read_.end()) entries.emplace(key, before->second);
        continue;
      }
    }
    incomplete_since_.erase(key);
    entries.emplace(key, std::move(entry));
  }
  if (!read_any_ || entries != read_) take(std::move(entries));
}

void FileSource::take(std::map<std::string, Entry> entries) {
  read_ = std::move(entries);
  read_any_ = true;
  if (numbered_) {
    again_ = true;
  } else {
    tell();
  }
}

// What was read last: at once when it has a revision, else when the disk has the next one.
void FileSource::tell() {
  again_ = false;
  const uint32_t checksum = checksum_of(read_);
  // No file at all, ever: the built-in defaults are revision 0.
  const bool news = !(revision_ == 0 && read_.empty()) && (checksum != checksum_ || revision_ == 0);
  if (news) {
    ++revision_;
    checksum_ = checksum;
  }
  KeySet keys{revision_, read_};
  if (!news || options_.state_file.empty()) {
    listener_->on_keys(keys);
    return;
  }
  numbered_ = std::move(keys);
  const nlohmann::json state = {{"config_revision", revision_}, {"config_checksum", checksum_}};
  const std::string text = state.dump() + "\n";
  if (starting_) {
    on_state_written(disk_.write_file(options_.state_file, text));
  } else {
    state_.put(text);
  }
}

void FileSource::on_state_written(const Status& written) {
  if (!written) log_warning("state cannot be kept; revisions may be used twice", {{"reason", written.error()}});
  if (!numbered_) return;
  const KeySet keys = *std::exchange(numbered_, std::nullopt);
  listener_->on_keys(keys);
  if (std::exchange(again_, false) && !numbered_) tell();
}

void FileSource::load_state() {
  if (options_.state_file.empty()) return;
  const auto text = disk_.read_file(options_.state_file, size_t{64} * 1024);
  if (!text) {
    if (text.error().code() != Code::kNotFound) log_warning("state cannot be read", {{"reason", text.error()}});
    return;
  }
  const auto state = nlohmann::json::parse(*text, nullptr, false);
  if (!state.is_object() || !state.contains("config_revision") || !state["config_revision"].is_number_integer() ||
      !state.contains("config_checksum") || !state["config_checksum"].is_number_unsigned()) {
    log_warning("state is damaged; revisions count from 0 again", {{"file", options_.state_file}});
    return;
  }
  revision_ = state["config_revision"].get<int64_t>();
  checksum_ = state["config_checksum"].get<uint32_t>();
}

}  // namespace monitor::config
