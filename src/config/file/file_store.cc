#include "config/file/file_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include "base/beneath.h"
#include "base/log.h"
#include "base/trust.h"
#include "base/written_file.h"
#include "config/document.h"
#include "config/file/file_source.h"
#include "config/keys.h"

namespace monitor::config {

namespace fs = std::filesystem;

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

Result<int64_t> FileStore::update(const std::string& key, const Change& change) {
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
  const std::string path = path_of_key(key);
  const Status done = *next ? disk_.write_beneath(folder_, path, **next) : disk_.remove_beneath(folder_, path);
  if (!done) return done.error();
  return 0;
}

}  // namespace monitor::config
