#include "config/file/file_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <functional>

#include "base/beneath.h"
#include "base/log.h"
#include "base/trust.h"
#include "base/written_file.h"
#include "config/document.h"
#include "config/file/file_source.h"
#include "config/file/file_trail.h"
#include "config/history/versions.h"
#include "config/keys.h"

namespace monitor::config {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kHistoryFolder = "history";
constexpr std::string_view kTrailEnding = ".jsonl";

std::optional<std::string> text_of(const std::optional<Stored>& stored) {
  return stored ? std::optional(stored->value) : std::nullopt;
}

// Newest first. A change of the document that no record tells comes first.
std::vector<Version> versions_of(const std::vector<ChangeRecord>& records, const std::optional<std::string>& current) {
  std::vector<Version> versions;
  const auto newest = records.empty() ? std::nullopt : std::optional(records.back());
  if (auto found = unrecorded(newest, {current, 0}, 0, true)) {
    versions.push_back(version_of(*found, static_cast<int64_t>(found->number)));
  }
  for (auto record = records.rbegin(); record != records.rend(); ++record) {
    versions.push_back(version_of(*record, static_cast<int64_t>(record->number)));
  }
  return versions;
}

}  // namespace

std::string FileStore::describe(const std::string& key) const { return file_of_key(folder_, key); }

Result<std::optional<Stored>> FileStore::get(const std::string& key) {
  if (auto valid = check_key(key); !valid) return valid.error();
  auto text = disk_.read_beneath(folder_, path_of_key(key), kMaxDocumentBytes);
  if (text) return std::optional<Stored>({std::move(*text), 0});
  if (text.error().code() == Code::kNotFound) return std::optional<Stored>();
  return text.error();
}

Result<std::map<std::string, Stored>> FileStore::list(const std::string& prefix) {
  if (auto valid = check_prefix(prefix); !valid) return valid.error();
  std::map<std::string, Stored> result;
  std::error_code error;
  auto at = fs::recursive_directory_iterator(folder_, fs::directory_options::skip_permission_denied, error);
  if (error == std::errc::no_such_file_or_directory) return result;
  if (error) return errno_error(error.value(), "listing " + folder_);
  for (; at != fs::recursive_directory_iterator(); at.increment(error)) {
    if (error) return errno_error(error.value(), "listing " + folder_);
    const std::string path = at->path().string();
    if (at.depth() == 0 && at->path().filename() == kHistoryFolder) at.disable_recursion_pending();
    if (!at->is_regular_file(error)) continue;
    const std::string key =
        std::string(kKeyRoot) + fs::path(path).replace_extension().string().substr(folder_.size() + 1);
    if (!key.starts_with(prefix) || !check_key(key) || file_of_key(folder_, key) != path) continue;
    const auto stored = get(key);
    if (!stored && at->is_symlink(error)) {
      log_debug("link in the configuration folder ignored", {{"file", path}, {"reason", stored.error()}});
      continue;
    }
    if (!stored) return stored.error();
    if (*stored) result.emplace(key, **stored);
  }
  return result;
}

Result<int64_t> FileStore::put_for(const std::string& key, const std::string& value, int64_t /*ns*/) {
  return update(
      key, [&](const std::optional<Stored>&) -> Result<std::optional<std::string>> { return std::optional(value); });
}

Result<int64_t> FileStore::put_noted_for(const std::string& key, const ChangeNote& note, const std::string& value,
                                         int64_t /*ns*/) {
  return update_noted(key, note, [&](const std::optional<Stored>&) -> Result<std::optional<std::string>> {
    return std::optional(value);
  });
}

Result<int64_t> FileStore::update(const std::string& key, const Change& change) { return write(key, nullptr, change); }

Result<int64_t> FileStore::update_noted(const std::string& key, const ChangeNote& note, const Change& change) {
  return write(key, has_history(key) ? &note : nullptr, change);
}

Result<int64_t> FileStore::write(const std::string& key, const ChangeNote* note, const Change& change) {
  if (auto valid = check_key(key); !valid) return valid.error();
  if (auto s = make_trusted_folder(disk_, folder_, "the configuration's folder"); !s) return s.error();
  const auto root = open_folder(folder_);
  if (!root) return root.error();
  const auto lock = open_beneath(root->get(), folder_, ".lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0600);
  if (!lock) return lock.error().with_context("the lock file");
  struct stat info{};
  if (fstat(lock->get(), &info) != 0) return errno_error(errno, "reading the status of " + folder_ + "/.lock");
  if (auto good = check_written_file(info, folder_ + "/.lock", false); !good) return good.error();
  // A write takes milliseconds, so this may wait for another author.
  while (flock(lock->get(), LOCK_EX) != 0) {
    if (errno != EINTR) return errno_error(errno, "locking " + folder_ + "/.lock");
  }
  const auto current = get(key);
  if (!current) return current.error();
  const auto next = change(*current);
  if (!next) return next.error();
  const Status done = note != nullptr ? store_noted(key, *note, *current, *next) : store(key, *next);
  if (!done) return done.error();
  return 0;
}

Status FileStore::store(const std::string& key, const std::optional<std::string>& value) {
  const std::string path = path_of_key(key);
  return value ? disk_.write_beneath(folder_, path, *value) : disk_.remove_beneath(folder_, path);
}

Status FileStore::store_noted(const std::string& key, const ChangeNote& note, const std::optional<Stored>& current,
                              const std::optional<std::string>& next) {
  const auto before = text_of(current);
  if (before == next) return {};
  FileTrail trail(disk_, folder_, key);
  const auto records = trail.read(before);
  if (!records) return records.error().with_context("the history");
  const auto newest = records->empty() ? std::nullopt : std::optional(records->back());
  const TrailStep step = next_step(newest, {before, 0}, next, note, false);
  if (Status begun = trail.begin(*records, step); !begun) return begun.error().with_context("the history");
  if (Status stored = store(key, next); !stored) {
    trail.cancel();
    return stored;
  }
  trail.finish();
  return {};
}

Result<std::optional<DocumentHistory>> FileStore::history(const std::string& key, size_t most) {
  const auto current = get(key);
  if (!current) return current.error();
  if (!has_history(key)) return std::optional<DocumentHistory>();
  const auto records = FileTrail(disk_, folder_, key).read(text_of(*current));
  if (!records) return records.error();
  DocumentHistory history;
  history.versions = versions_of(*records, text_of(*current));
  const bool from_first = records->empty() ? !*current : records->front().number == 1 && !records->front().found;
  history.complete = history.versions.size() <= most && from_first;
  if (history.versions.size() > most) history.versions.resize(most);
  return std::optional(std::move(history));
}

Result<std::vector<DocumentChange>> FileStore::recent_changes(size_t most) {
  std::vector<DocumentChange> changes;
  std::error_code error;
  const std::string top = folder_ + "/" + std::string(kHistoryFolder);
  auto at = fs::recursive_directory_iterator(top, fs::directory_options::skip_permission_denied, error);
  if (error == std::errc::no_such_file_or_directory) return changes;
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    const std::string path = at->path().string();
    if (!path.ends_with(kTrailEnding)) continue;
    const std::string key =
        std::string(kKeyRoot) + path.substr(top.size() + 1, path.size() - top.size() - 1 - kTrailEnding.size());
    if (!has_history(key)) continue;
    const auto found = history(key, kMostChanges);
    if (!found) return found.error();
    for (const Version& version : (*found)->versions) changes.push_back({key, version});
    // What has not been noticed yet has no time; it is the newest.
    std::ranges::stable_sort(changes, std::greater(), [](const DocumentChange& one) {
      return one.version.note.at_ns == 0 ? INT64_MAX : one.version.note.at_ns;
    });
    if (changes.size() > most) changes.resize(most);
  }
  if (error) return errno_error(error.value(), "listing " + top);
  return changes;
}

}  // namespace monitor::config
