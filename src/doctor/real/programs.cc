// Our programs, as files and as processes. A program is only run to ask its version if root or this user owns it and
// nobody else may write to it: a process may have any name.
#include <dirent.h>
#include <fmt/format.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/clock.h"
#include "base/disk.h"
#include "base/text.h"
#include "doctor/real/real_host.h"
#include "doctor/real/run_program.h"

namespace monitor::doctor {

namespace {

constexpr std::array<std::string_view, 8> kPrograms = {"monitor",          "monitor-agent",      "monitor-server",
                                                       "monitor-analysis", "monitor-config",     "monitor-load",
                                                       "monitor-plugin",   "monitor-plugin-host"};
constexpr size_t kMostProcesses = 64;
constexpr std::string_view kDeleted = " (deleted)";

bool is_ours(std::string_view name) { return std::ranges::find(kPrograms, name) != kPrograms.end(); }

bool may_run(const std::string& path) {
  struct stat info{};
  if (stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return false;
  return (info.st_uid == 0 || info.st_uid == geteuid()) && (info.st_mode & (S_IWGRP | S_IWOTH)) == 0 &&
         access(path.c_str(), X_OK) == 0;
}

// "monitor-agent 0.2.0"; empty if it does not say.
std::string version_of(const std::string& path, int64_t timeout_ns) {
  if (!may_run(path)) return "";
  const auto ended = run_program(path, {"--version"}, timeout_ns);
  if (!ended || ended->status != 0) return "";
  const std::string_view line = trim(ended->output);
  const size_t space = line.rfind(' ');
  return std::string(line.substr(space == std::string_view::npos ? 0 : space + 1).substr(0, 64));
}

std::string link_target(const std::string& path) {
  std::array<char, PATH_MAX> target{};
  const ssize_t size = readlink(path.c_str(), target.data(), target.size());
  return size > 0 ? std::string(target.data(), static_cast<size_t>(size)) : "";
}

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

void add_process(const std::string& pid, int64_t timeout_ns, std::vector<ProgramSight>& found) {
  const std::string exe = fmt::format("/proc/{}/exe", pid);
  ProgramSight sight;
  sight.path = link_target(exe);  // empty for a process of another user
  if (sight.path.ends_with(kDeleted)) {
    sight.replaced = true;
    sight.path.resize(sight.path.size() - kDeleted.size());
  }
  sight.name = base_name(sight.path);
  // A plugin host has no --version, and follows its agent.
  if (!is_ours(sight.name) || sight.name == "monitor-plugin-host") return;
  sight.pid = static_cast<pid_t>(parse_u64(pid).value_or(0));
  if (sight.pid == getpid()) return;
  sight.version = version_of(exe, timeout_ns);  // also of a file that has been removed
  found.push_back(std::move(sight));
}

}  // namespace

std::vector<ProgramSight> RealHost::programs(const std::string& folder, int64_t timeout_ns) {
  std::vector<ProgramSight> found;
  for (const std::string_view name : kPrograms) {
    const std::string path = fmt::format("{}/{}", folder, name);
    if (name == "monitor-plugin-host" || access(path.c_str(), F_OK) != 0) continue;
    found.push_back({std::string(name), path, version_of(path, timeout_ns), 0, false});
  }
  const auto entries = PosixDisk().list_folder("/proc");
  if (!entries) return found;
  const size_t files = found.size();
  for (const std::string& entry : *entries) {
    if (parse_u64(entry) && found.size() < files + kMostProcesses) add_process(entry, timeout_ns, found);
  }
  return found;
}

}  // namespace monitor::doctor
