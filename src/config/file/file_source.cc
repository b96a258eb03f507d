#include "config/file/file_source.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <utility>

#include "base/crc32c.h"
#include "base/log.h"

namespace monitor::config {

namespace {

constexpr int64_t kRetryIncomplete = 50 * kNanosPerMilli;
constexpr int64_t kIncompleteFor = kNanosPerSecond;
// inotify does not see changes on network filesystems, and drops events when its queue is full.
constexpr int64_t kReconcileEvery = 30 * kNanosPerSecond;
// A read that takes longer makes the source lost. A start waits this long at most.
constexpr int64_t kPatience = 2 * kNanosPerSecond;

uint32_t checksum_of(const std::map<std::string, Entry>& entries) {
  uint32_t crc = 0;
  for (const auto& [key, entry] : entries) {
    const std::string text = entry.fault ? entry.fault->message() : entry.value;
    crc = crc32c(fmt::format("{}={}:{};", key, text.size(), text), crc);
  }
  return crc;
}

}  // namespace

FileSource::FileSource(EventLoop& loop, Disk& disk, Worker& worker, FileSourceOptions options)
    : loop_(loop),
      disk_(disk),
      options_(options),
      reader_(disk, std::move(options)),
      state_(worker, disk, options_.state_file, [this](const Status& written) { on_state_written(written); }),
      aside_(loop) {
  load_state();
}

FileSource::~FileSource() {
  if (watched_) loop_.unwatch(reader_.inotify());
  loop_.cancel_timer(scan_timer_);
  loop_.cancel_timer(reconcile_timer_);
}

void FileSource::watch(const WatchSet& what, ConfigListener& listener) {
  what_ = valid_part(what);
  ++watch_number_;
  read_any_ = false;
  listener_ = &listener;
  if (!watched_ && reader_.inotify() >= 0) {
    watched_ = true;
    loop_.watch(reader_.inotify(), EPOLLIN, [this](uint32_t) { on_inotify(); });
  }
  scan(true);
  if (starting_ && !aside_.wait(kPatience)) on_late();
}

void FileSource::rescan() { schedule_scan(0); }

void FileSource::on_inotify() {
  alignas(inotify_event) std::array<char, 4096> buffer{};
  bool any = false;
  while (::read(reader_.inotify(), buffer.data(), buffer.size()) > 0) any = true;
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

void FileSource::scan(bool first) {
  if (!first) starting_ = false;
  first_ = first_ || first;
  loop_.cancel_timer(reconcile_timer_);
  Timers& timers = options_.calm == nullptr ? loop_ : *options_.calm;
  reconcile_timer_ = timers.call_after(kReconcileEvery, [this] { scan(false); });
  if (!aside_.idle()) {
    scan_again_ = true;
    return;
  }
  auto found = std::make_shared<FileReader::Found>();
  aside_.start([this, what = what_, found] { *found = reader_.read(what); },
               [this, found, number = watch_number_] { on_read(std::move(*found), number); }, kPatience,
               [this] { on_late(); });
}

// The read does not return: the folder is on a mount that hangs.
void FileSource::on_late() {
  starting_ = false;
  if (std::exchange(lost_, true)) return;
  listener_->on_source_lost(Error(Code::kUnavailable, fmt::format("{} does not answer", options_.folder)));
}

void FileSource::on_read(FileReader::Found found, uint64_t number) {
  if (std::exchange(scan_again_, false)) schedule_scan(0);
  if (number != watch_number_) return;  // watch() has been called since the read started
  const bool first = std::exchange(first_, false);
  answered_ = true;
  if (found.fault) {
    lost_ = true;
    listener_->on_source_lost(*found.fault);
    return;
  }
  if (std::exchange(lost_, false)) read_any_ = false;  // reports again even if nothing has changed
  std::map<std::string, Entry> entries = complete(std::move(found.entries), first);
  if (!read_any_ || entries != read_) take(std::move(entries));
}

// Removes files that are still being written; they keep their last content.
std::map<std::string, Entry> FileSource::complete(std::map<std::string, Entry> found, bool first) {
  const int64_t now = loop_.clock().mono_ns();
  std::erase_if(incomplete_since_, [&](const auto& one) { return !found.contains(one.first); });
  std::map<std::string, Entry> entries;
  for (auto& [key, entry] : found) {
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
  return entries;
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

// Reports the last read: at once if its content has a revision already, else once the state file is written.
void FileSource::tell() {
  again_ = false;
  const uint32_t checksum = checksum_of(read_);
  // If no file has ever existed, the built-in defaults are revision 0.
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
  if (!written)
    log_warning("state file cannot be written; revisions may repeat after a restart", {{"reason", written.error()}});
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
