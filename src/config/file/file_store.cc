#include "config/file/file_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <cerrno>
#include <filesystem>

#include "config/document.h"
#include "config/file/file_source.h"
#include "config/source.h"

namespace monitor::config {

namespace fs = std::filesystem;

namespace {

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

}  // namespace

std::string FileStore::describe(const std::string& key) const { return file_of_key(folder_, key); }

Result<std::optional<Stored>> FileStore::get(const std::string& key) {
  auto text = disk_.read_file(describe(key), kMaxDocumentBytes);
  if (text) return std::optional<Stored>({std::move(*text), 0});
  if (text.error().code() == Code::kNotFound) return std::optional<Stored>();
  return text.error();
}

Result<std::map<std::string, Stored>> FileStore::list(const std::string& prefix) {
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
    if (!key.starts_with(prefix) || file_of_key(folder_, key) != path) continue;
    const auto stored = get(key);
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
  const std::string path = describe(key);
  if (auto s = disk_.make_folder(folder_of(path)); !s) return s.error();
  const std::string lock_path = folder_ + "/.lock";
  const Fd lock(open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!lock.valid()) return errno_error(errno, "opening the lock file " + lock_path);
  // A write takes milliseconds: waiting for another author's is right.
  while (flock(lock.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return errno_error(errno, "locking " + lock_path);
  }
  const auto current = get(key);
  if (!current) return current.error();
  const auto next = change(*current);
  if (!next) return next.error();
  const Status done = *next ? disk_.write_file(path, **next) : disk_.remove_file(path);
  if (!done) return done.error();
  return 0;
}

}  // namespace monitor::config
