#include "plugins/host/landlock.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "base/disk.h"

namespace monitor::plugin_host {

namespace {

// Defined here as in newer kernels, because the build machine's headers may be older than the running kernel.
struct RulesetAttributes {
  uint64_t files = 0;
  uint64_t network = 0;
  uint64_t scoped = 0;
};

constexpr uint64_t kExecute = 1U << 0;
constexpr uint64_t kReadFile = 1U << 2;
constexpr uint64_t kReadFolder = 1U << 3;

uint64_t files_of(long version) {
  uint64_t all = (1U << 13) - 1;
  if (version >= 2) all |= 1U << 13;  // refer
  if (version >= 3) all |= 1U << 14;  // truncate
  if (version >= 5) all |= 1U << 15;  // device ioctls
  return all;
}

size_t size_of(long version) {
  if (version >= 6) return sizeof(RulesetAttributes);
  return version >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
}

void allow_reading(int ruleset, const std::string& path) {
  const Fd fd(open(path.c_str(), O_PATH | O_CLOEXEC));
  struct stat info{};
  if (!fd.valid() || fstat(fd.get(), &info) != 0) return;  // a folder that does not exist needs no rule
  landlock_path_beneath_attr rule{};
  rule.allowed_access = kExecute | kReadFile | (S_ISDIR(info.st_mode) ? kReadFolder : 0);
  rule.parent_fd = fd.get();
  syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

}  // namespace

Result<uint32_t> restrict_files(const std::vector<std::string>& readable) {
  const long version = syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 1) {
    // Landlock is not built in, or not enabled at boot. Any other error is unexpected.
    if (version < 0 && errno != ENOSYS && errno != EOPNOTSUPP) return errno_error(errno, "Landlock's version");
    return uint32_t{0};
  }
  RulesetAttributes attributes;
  attributes.files = files_of(version);
  attributes.network = version >= 4 ? 3 : 0;  // bind, connect
  attributes.scoped = version >= 6 ? 3 : 0;   // abstract sockets, signals
  const Fd ruleset(static_cast<int>(syscall(SYS_landlock_create_ruleset, &attributes, size_of(version), 0)));
  if (!ruleset.valid()) return errno_error(errno, "landlock_create_ruleset");
  for (const std::string& path : readable) allow_reading(ruleset.get(), path);
  if (syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0) return errno_error(errno, "landlock_restrict_self");
  return static_cast<uint32_t>(version);
}

}  // namespace monitor::plugin_host
