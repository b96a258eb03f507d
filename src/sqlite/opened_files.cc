#include "sqlite/opened_files.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include <map>
#include <mutex>
#include <string_view>

namespace monitor::sqlite {

namespace {

using Open = int (*)(const char*, int, int);

Open g_open = nullptr;  // SQLite's own; set once
thread_local OpenedFiles* t_noting = nullptr;

// The index that was opened last, by name. An entry for each log that this process has opened.
class Indexes {
 public:
  void put(const std::string& name, uint64_t inode) {
    const std::lock_guard lock(mutex_);
    inodes_[name] = inode;
  }
  uint64_t get(const std::string& name) {
    const std::lock_guard lock(mutex_);
    const auto found = inodes_.find(name);
    return found == inodes_.end() ? 0 : found->second;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, uint64_t> inodes_;
};

Indexes& indexes() {
  static Indexes all;
  return all;
}

std::string file_name(const std::string& path) {
  const size_t slash = path.rfind('/');
  return "/" + (slash == std::string::npos ? path : path.substr(slash + 1));
}

uint64_t inode_of(int descriptor) {
  struct stat info{};
  return fstat(descriptor, &info) == 0 ? info.st_ino : 0;
}

constexpr std::string_view kWal = "-wal";
constexpr std::string_view kIndex = "-shm";

}  // namespace

OpenedFiles::OpenedFiles(const std::string& path)
    : wal_ending_(file_name(path).append(kWal)), index_ending_(file_name(path).append(kIndex)) {
  static const bool intercepted = (intercept(), true);
  (void)intercepted;
  t_noting = this;
}

OpenedFiles::~OpenedFiles() { t_noting = nullptr; }

uint64_t OpenedFiles::index() const { return index_name_.empty() ? 0 : indexes().get(index_name_); }

void OpenedFiles::intercept() {
  sqlite3_vfs* const vfs = sqlite3_vfs_find("unix");
  if (vfs == nullptr || vfs->iVersion < 3) return;
  g_open = reinterpret_cast<Open>(vfs->xGetSystemCall(vfs, "open"));
  if (g_open != nullptr) vfs->xSetSystemCall(vfs, "open", reinterpret_cast<sqlite3_syscall_ptr>(&open_noted));
}

int OpenedFiles::open_noted(const char* name, int flags, int mode) {
  const int descriptor = g_open(name, flags, mode);
  if (descriptor >= 0 && t_noting != nullptr) t_noting->note(name, descriptor);
  return descriptor;
}

void OpenedFiles::note(const std::string& name, int descriptor) {
  if (name.ends_with(index_ending_)) indexes().put(name, inode_of(descriptor));
  if (!name.ends_with(wal_ending_)) return;
  wal_ = inode_of(descriptor);
  index_name_ = name.substr(0, name.size() - kWal.size()).append(kIndex);
}

}  // namespace monitor::sqlite
