#include "inputs/proc/roots.h"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <filesystem>

namespace monitor::agent {

namespace {

bool exists(const std::string& path) {
  struct stat info{};
  return stat(path.c_str(), &info) == 0;
}

bool is_procfs(const std::string& path) {
  struct statfs info{};
  return statfs(path.c_str(), &info) == 0 && info.f_type == PROC_SUPER_MAGIC;
}

bool is_own_proc(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::weakly_canonical(path, ignored) == "/proc";
}

}  // namespace

std::string Roots::host_namespace_path(std::string_view name) const {
  std::string own = procfs + (name.starts_with("net/") ? "/" : "/self/") + std::string(name);
  if (is_own_proc(procfs)) return own;
  const std::string first = procfs + "/1/" + std::string(name);
  return exists(first) || is_procfs(procfs) ? first : own;
}

std::string Roots::host_path(std::string_view path) const {
  if (!rootfs.empty()) return rootfs + std::string(path);
  if (is_own_proc(procfs)) return std::string(path);
  constexpr std::string_view kProc = "/proc";
  if (procfs.ends_with(kProc)) return procfs.substr(0, procfs.size() - kProc.size()) + std::string(path);
  return procfs + "/1/root" + std::string(path);
}

}  // namespace monitor::agent
