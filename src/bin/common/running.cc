#include "bin/common/running.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "base/text.h"
#include "base/trust.h"
#include "bin/common/cli.h"

namespace monitor {

namespace {

constexpr size_t kMaxBytes = size_t{64} * 1024;
constexpr const char* kWhat = "the folder of running systems";
constexpr std::string_view kPrefix = "up-";
constexpr std::string_view kSuffix = ".json";

std::string boot_id() {
  PosixDisk disk;
  const auto text = disk.read_file("/proc/sys/kernel/random/boot_id", 256);
  return text ? std::string(trim(*text)) : "";
}

// Field 22 of /proc/<pid>/stat; nothing if the process does not exist or is a zombie.
std::optional<uint64_t> start_of(pid_t pid) {
  PosixDisk disk;
  const auto text = disk.read_file(fmt::format("/proc/{}/stat", pid), 4096);
  if (!text) return std::nullopt;
  const size_t name_end = text->rfind(')');  // the name may contain any character
  if (name_end == std::string::npos) return std::nullopt;
  const auto fields = split(trim(std::string_view(*text).substr(name_end + 1)), ' ');
  constexpr size_t kState = 0;
  constexpr size_t kStart = 19;
  if (fields.size() <= kStart || fields[kState] == "Z" || fields[kState] == "X") return std::nullopt;
  return parse_u64(fields[kStart]);
}

bool is_running(const RunningSystem& system) {
  return system.pid > 0 && start_of(system.pid) == system.started && system.boot == boot_id();
}

// The folder with the address files of all systems of a user; empty if there is none.
std::string runtime_folder() {
  const char* const named = std::getenv("XDG_RUNTIME_DIR");  // NOLINT(concurrency-mt-unsafe): before any thread
  if (named != nullptr && named[0] == '/') return std::string(named) + "/monitor";
  const std::string usual = fmt::format("/run/user/{}", geteuid());
  if (access(usual.c_str(), W_OK) == 0) return usual + "/monitor";
  const std::string data = default_data_folder();
  return data.empty() ? "" : data + "/running";
}

// Reads a file that only this user can have written. Follows no link.
Result<std::string> read_own_file(const std::string& path) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat info{};
  if (!fd.valid() || fstat(fd.get(), &info) != 0) return errno_error(errno, "opening " + path);
  const bool own = S_ISREG(info.st_mode) && info.st_uid == geteuid() && (info.st_mode & (S_IRWXG | S_IRWXO)) == 0;
  if (!own) return Error(Code::kPermissionDenied, path + " is not a private file of this user");
  return read_to_end(fd.get(), path, kMaxBytes);
}

std::optional<RunningSystem> read_running(const std::string& path) {
  const auto text = read_own_file(path);
  if (!text) return std::nullopt;
  auto system = parse_running(*text);
  if (!system || !is_running(*system)) return std::nullopt;
  return std::move(*system);
}

std::vector<std::string> files_in(const std::string& folder) {
  PosixDisk disk;
  std::vector<std::string> paths;
  const auto names = disk.list_folder(folder);
  if (!names) return paths;
  for (const std::string& name : *names) {
    if (name.starts_with(kPrefix) && name.ends_with(kSuffix)) paths.push_back(folder + "/" + name);
  }
  std::ranges::sort(paths);
  return paths;
}

}  // namespace

std::string to_json(const RunningSystem& system) {
  const nlohmann::ordered_json json = {
      {"pid", system.pid},       {"started", system.started}, {"boot", system.boot}, {"data", system.data},
      {"log", system.log},       {"kafka", system.kafka},     {"etcd", system.etcd}, {"config_dir", system.config_dir},
      {"server", system.server}, {"web", system.web}};
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

Result<RunningSystem> parse_running(const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  RunningSystem system;
  try {
    system.pid = json.at("pid").get<pid_t>();
    system.started = json.at("started").get<uint64_t>();
    system.boot = json.at("boot").get<std::string>();
    system.data = json.at("data").get<std::string>();
    system.log = json.at("log").get<std::string>();
    system.kafka = json.at("kafka").get<std::string>();
    system.etcd = json.at("etcd").get<std::vector<std::string>>();
    system.config_dir = json.at("config_dir").get<std::string>();
    system.server = json.at("server").get<std::string>();
    system.web = json.at("web").get<std::string>();
  } catch (const nlohmann::json::exception& fault) {
    return Error(Code::kInvalidArgument, fault.what());
  }
  return system;
}

void RunningFiles::withdraw() {
  for (const std::string& path : written_) [[maybe_unused]]
    const Status removed = disk_.remove_file(path);
  written_.clear();
}

Status RunningFiles::publish(RunningSystem system) {
  system.pid = getpid();
  system.started = start_of(system.pid).value_or(0);
  system.boot = boot_id();
  const std::string json = to_json(system);
  std::vector<std::string> paths = {system.data + "/running.json"};
  const std::string folder = runtime_folder();
  if (!folder.empty() && make_trusted_folder(disk_, folder, kWhat)) {
    for (const std::string& path : files_in(folder)) {
      if (read_own_file(path) && !read_running(path)) [[maybe_unused]]
        const Status removed = disk_.remove_file(path);  // left by a process that was killed
    }
    paths.push_back(fmt::format("{}/{}{}{}", folder, kPrefix, system.pid, kSuffix));
  }
  Status result = Error(Code::kInternal, "");
  for (const std::string& path : paths) {
    const Status written = disk_.write_file(path, json);
    if (written || !result) result = written;
    if (written && std::ranges::find(written_, path) == written_.end()) written_.push_back(path);
  }
  return result;
}

std::optional<RunningSystem> running_on(const std::string& data) {
  if (!check_folder_trusted(data, "the data folder")) return std::nullopt;
  return read_running(data + "/running.json");
}

Result<std::optional<RunningSystem>> find_running() {
  std::optional<RunningSystem> found;
  const std::string folder = runtime_folder();
  if (folder.empty() || !check_folder_trusted(folder, kWhat)) return found;
  for (const std::string& path : files_in(folder)) {
    auto system = read_running(path);
    if (!system) continue;
    if (found) {
      return Error(Code::kFailedPrecondition,
                   fmt::format("`monitor up` is running more than once, on {} and on {}; choose one with --data",
                               found->data, system->data));
    }
    found = std::move(system);
  }
  return found;
}

}  // namespace monitor
