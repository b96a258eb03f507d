#include "base/trust.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <sstream>

#include "base/log.h"
#include "base/memory_dumps.h"

namespace monitor {

namespace {

constexpr mode_t kOthersWrite = S_IWGRP | S_IWOTH;

bool is_trusted(uid_t owner, uid_t self) { return owner == 0 || owner == self; }

// In a user namespace (a rootless container), files of users outside of it, the real root among them, appear to belong
// to the overflow uid.
bool is_of_outer_namespace(uid_t owner) {
  constexpr uid_t kOverflow = 65534;
  if (owner != kOverflow) return false;
  const auto map = PosixDisk().read_file("/proc/self/uid_map", 4096);
  if (!map) return false;
  std::istringstream words(*map);
  uint64_t inside = 0;
  uint64_t outside = 0;
  uint64_t count = 0;
  words >> inside >> outside >> count;
  return count < UINT32_MAX;
}

std::string user_name(uid_t uid) {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) return entry.pw_name;
  return fmt::format("user {}", uid);
}

Error untrusted(const std::string& text) { return Error(Code::kPermissionDenied, text); }

Error foreign(const std::string& what, const std::string& path, uid_t owner, uid_t self) {
  return untrusted(fmt::format("{} {} belongs to {}, not to {}: run this as {}, or chown it, or choose another one",
                               what, path, user_name(owner), user_name(self), user_name(owner)));
}

std::string without_end(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

std::string parent_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : without_end(path.substr(0, slash));
}

std::string absolute(const std::string& path) {
  if (path.starts_with('/')) return path;
  std::array<char, PATH_MAX> here{};
  if (getcwd(here.data(), here.size()) == nullptr) return path;
  return fmt::format("{}/{}", here.data(), path);
}

// Checks whether others may replace an entry of an ancestor folder. Links among the ancestors must belong to trusted
// users.
Status check_above(const std::string& path, const std::string& what, uid_t self) {
  for (std::string folder = parent_of(path);; folder = parent_of(folder)) {
    struct stat info{};
    if (lstat(folder.c_str(), &info) != 0) return errno_error(errno, "checking " + folder);
    if (S_ISLNK(info.st_mode) && !is_trusted(info.st_uid, self))
      return foreign("the link above " + what, folder, info.st_uid, self);
    if (S_ISDIR(info.st_mode) && !is_trusted(info.st_uid, self) && !is_of_outer_namespace(info.st_uid)) {
      return foreign(fmt::format("the folder above {} {},", what, path), folder, info.st_uid, self);
    }
    const bool open_to_all = S_ISDIR(info.st_mode) && (info.st_mode & S_IWOTH) != 0 && (info.st_mode & S_ISVTX) == 0;
    if (open_to_all) {
      return untrusted(
          fmt::format("{} {} is in {}, where every user can replace it: chmod o-w {}, or "
                      "choose another folder",
                      what, path, folder, folder));
    }
    if (folder == "/" || folder == ".") return {};
  }
}

// True if an ancestor lets nobody else reach the folder, like a tmpfs with its usual mode 1777 mounted in a private
// folder. check_above() verifies the owner of that ancestor.
bool is_out_of_reach(const std::string& path) {
  for (std::string folder = parent_of(path);; folder = parent_of(folder)) {
    struct stat info{};
    if (lstat(folder.c_str(), &info) != 0) return false;
    if (S_ISDIR(info.st_mode) && (info.st_mode & (S_IRWXG | S_IRWXO)) == 0) return true;
    if (folder == "/" || folder == ".") return false;
  }
}

}  // namespace

Status check_folder_trusted(const std::string& path, const std::string& what, uid_t self) {
  const std::string whole = without_end(absolute(path));
  struct stat link{};
  if (lstat(whole.c_str(), &link) != 0) return errno_error(errno, what + " " + path);
  if (S_ISLNK(link.st_mode) && !is_trusted(link.st_uid, self))
    return foreign("the link to " + what, path, link.st_uid, self);
  struct stat info{};
  if (stat(whole.c_str(), &info) != 0) return errno_error(errno, what + " " + path);
  if (!S_ISDIR(info.st_mode)) return errno_error(ENOTDIR, what + " " + path);
  if (!is_trusted(info.st_uid, self)) return foreign(what, path, info.st_uid, self);
  const bool open_to_others = (info.st_mode & kOthersWrite) != 0;
  const bool sticky = (info.st_mode & S_ISVTX) != 0;
  if (open_to_others && !sticky) {
    return untrusted(fmt::format("{} {} can be written by others (mode {:04o}): chmod go-w {}, or choose another one",
                                 what, path, info.st_mode & 07777, path));
  }
  if (open_to_others && !is_out_of_reach(whole)) {
    return untrusted(
        fmt::format("{} {} can be written by all users (mode {:04o}): choose a folder of your own, as "
                    "{}/monitor",
                    what, path, info.st_mode & 07777, path));
  }
  if (auto above = check_above(whole, what, self); !above) return above;
  std::array<char, PATH_MAX> resolved{};
  if (realpath(whole.c_str(), resolved.data()) == nullptr) return errno_error(errno, what + " " + path);
  return whole == resolved.data() ? Status() : check_above(resolved.data(), what, self);
}

Status make_trusted_folder(Disk& disk, const std::string& path, const std::string& what) {
  // Checks the existing folder before creating anything in it.
  auto checked = check_folder_trusted(path, what);
  if (checked || checked.error().code() != Code::kNotFound) return checked;
  if (auto made = disk.make_folder(path); !made) return made;
  return check_folder_trusted(path, what);
}

namespace {

Status check_secret_link(const std::string& path, const std::string& what, uid_t self) {
  struct stat link{};
  if (lstat(path.c_str(), &link) != 0 || !S_ISLNK(link.st_mode) || is_trusted(link.st_uid, self)) return {};
  return foreign("the link to " + what, path, link.st_uid, self);
}

Status judge_secret(const struct stat& info, const std::string& path, const std::string& what, uid_t self) {
  if (!is_trusted(info.st_uid, self)) return foreign(what, path, info.st_uid, self);
  if (!S_ISREG(info.st_mode)) return {};
  if ((info.st_mode & kOthersWrite) != 0) {
    return untrusted(fmt::format("{} {} can be written by others (mode {:04o}): chmod go-w {}, or choose another one",
                                 what, path, info.st_mode & 07777, path));
  }
  if ((info.st_mode & S_IROTH) != 0) {
    log_warning(what + " can be read by every user of this host",
                {{"file", path}, {"mode", fmt::format("{:04o}", info.st_mode & 07777)}, {"next", "chmod o-r " + path}});
  }
  return {};
}

}  // namespace

Result<std::string> read_secret_file(const std::string& path, size_t max_bytes, const std::string& what, uid_t self) {
  deny_memory_dumps();
  if (const Status link = check_secret_link(path, what, self); !link) return link.error();
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat info{};
  if (!fd.valid() || fstat(fd.get(), &info) != 0) return errno_error(errno, "opening " + path);
  if (const Status good = judge_secret(info, path, what, self); !good) return good.error();
  // Waits for a pipe, such as a shell's <(...).
  if (S_ISFIFO(info.st_mode)) fcntl(fd.get(), F_SETFL, 0);
  return read_to_end(fd.get(), path, max_bytes);
}

Status check_secret_file(const std::string& path, const std::string& what, uid_t self) {
  if (path.empty()) return {};
  deny_memory_dumps();
  if (Status link = check_secret_link(path, what, self); !link) return link;
  struct stat info{};
  if (stat(path.c_str(), &info) != 0) return {};  // the library says what is wrong
  return judge_secret(info, path, what, self);
}

}  // namespace monitor
