#include "plugins/host/sandbox.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <string>

#include "plugins/host/allowed_calls.h"
#include "plugins/host/forbidden_calls.h"
#include "plugins/host/landlock.h"

namespace monitor::plugin_host {

namespace {

constexpr rlim_t kMemory = rlim_t{512} * 1024 * 1024;  // that it can write to
// A runtime such as that of Go reserves more than it uses. Memory that would count here only is refused
// (allowed_calls.cc).
constexpr rlim_t kAddresses = 4 * kMemory;
constexpr rlim_t kFiles = 32;
constexpr rlim_t kProcessorSeconds = 60;  // then the agent must have allowed more, which it does as long as it runs
constexpr int kNice = 5;
constexpr int kOomScore = 1000;

void limit(int what, rlim_t most) {
  rlimit now{};
  getrlimit(static_cast<__rlimit_resource_t>(what), &now);
  now.rlim_max = std::min(now.rlim_max, most);
  now.rlim_cur = now.rlim_max;
  setrlimit(static_cast<__rlimit_resource_t>(what), &now);
}

void limit_resources() {
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_NOFILE, kFiles);
  limit(RLIMIT_MSGQUEUE, 0);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  // Not with sanitizers, which reserve terabytes.
  limit(RLIMIT_DATA, kMemory);
  limit(RLIMIT_AS, kAddresses);
#endif
  rlimit time{};
  getrlimit(RLIMIT_CPU, &time);
  time.rlim_cur = std::min(time.rlim_max, kProcessorSeconds);
  setrlimit(RLIMIT_CPU, &time);
}

// Without capabilities, even the hosts of an agent that runs as root can do no more than an ordinary user.
Status drop_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> none{};
  if (syscall(SYS_capset, &header, none.data()) == 0) return {};
  const int reason = errno;
  // The filter of a systemd unit may refuse the call, which is fine if there is nothing to drop.
  std::array<__user_cap_data_struct, 2> held{};
  const bool known = syscall(SYS_capget, &header, held.data()) == 0;
  const auto empty = [](const auto& set) { return (set.effective | set.permitted | set.inheritable) == 0; };
  return known && std::ranges::all_of(held, empty) ? Status() : errno_error(reason, "capset");
}

}  // namespace

Status follow_parent(int parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (parent != 0 && getppid() != parent) return Error(Code::kAborted, "the agent has ended");
  setpriority(PRIO_PROCESS, 0, kNice);  // collecting takes precedence
  if (const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC); fd >= 0) {
    const std::string score = std::to_string(kOomScore);
    [[maybe_unused]] const ssize_t written = write(fd, score.data(), score.size());
    close(fd);
  }
  return {};
}

Status KernelSandbox::begin() {
  if (begun_) return {};
  begun_ = true;
  tzset();  // loads the time zone now, because localtime() must work without files later
  limit_resources();
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno_error(errno, "no_new_privs");
  return handle_forbidden_calls(channel_, asked_ == NewDescriptors::kRefuse);
}

Status KernelSandbox::confine_loading(const std::vector<std::string>& readable) {
  if (Status begun = begin(); !begun) return begun;
  std::vector<std::string> all = {"/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache"};
  all.insert(all.end(), readable.begin(), readable.end());
  const auto files = restrict_files(all);
  if (!files) return files.error();
  SeccompFilter filter;
  allow_loading(filter);
  return filter.install();
}

Result<plugin_wire::Confined> KernelSandbox::confine(int library, bool threads) {
  if (Status begun = begin(); !begun) return begun.error();
  limit(RLIMIT_FSIZE, 0);
  if (prctl(PR_SET_DUMPABLE, 0) != 0) return errno_error(errno, "PR_SET_DUMPABLE");
  const auto landlock = restrict_files({});
  if (!landlock) return landlock.error();
  if (Status dropped = drop_capabilities(); !dropped) return dropped.error();
  SeccompFilter filter;
  allow_plugin(filter, library, threads);
  if (Status installed = filter.install(); !installed) return installed.error();
  return plugin_wire::Confined{*landlock};
}

void KernelSandbox::lend(int library) { lend_to_next_open(library); }

}  // namespace monitor::plugin_host
