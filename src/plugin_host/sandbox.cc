#include "plugin_host/sandbox.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>

#include "plugin_host/landlock.h"
#include "plugin_host/seccomp_filter.h"
#include "plugin_wire/wire.h"

namespace monitor::plugin_host {

namespace {

constexpr rlim_t kMemory = rlim_t{512} * 1024 * 1024;  // of address space
constexpr rlim_t kFiles = 32;
constexpr int kNice = 5;
constexpr int kOomScore = 1000;

int channel_of_handler = -1;

struct Named {
  int call;
  const char* name;
};

// Those that people will ask about.
constexpr std::array kNames = {
    Named{SYS_openat, "openat"},
    Named{SYS_socket, "socket"},
    Named{SYS_connect, "connect"},
    Named{SYS_bind, "bind"},
    Named{SYS_execve, "execve"},
    Named{SYS_clone, "clone (a process)"},
    Named{SYS_kill, "kill"},
    Named{SYS_tgkill, "tgkill"},
    Named{SYS_ptrace, "ptrace"},
    Named{SYS_unlinkat, "unlinkat"},
    Named{SYS_mkdirat, "mkdirat"},
    Named{SYS_memfd_create, "memfd_create"},
    Named{SYS_openat2, "openat2"},
    Named{SYS_execveat, "execveat"},
    Named{SYS_socketpair, "socketpair"},
    Named{SYS_rt_sigqueueinfo, "sigqueue"},
#if defined(__x86_64__)
    Named{SYS_open, "open"},
    Named{SYS_fork, "fork"},
    Named{SYS_vfork, "vfork"},
    Named{SYS_unlink, "unlink"},
    Named{SYS_mkdir, "mkdir"},
    Named{SYS_creat, "creat"},
#endif
};

// SIGSYS: says what was called, and ends the process. Nothing here may allocate.
void on_forbidden(int, siginfo_t* info, void*) {
  std::array<char, 256> packet{};
  std::array<char, 128> text{};
  const char* name = nullptr;
  for (const Named& one : kNames) {
    if (one.call == info->si_syscall) name = one.name;
  }
  size_t size = 0;
  const auto put = [&](const char* part) {
    while (*part != '\0' && size < text.size()) text.at(size++) = *part++;
  };
  put("it called ");
  if (name != nullptr) {
    put(name);
  } else {
    put("system call ");
    std::array<char, 12> digits{};
    size_t at = digits.size() - 1;
    for (auto rest = static_cast<unsigned>(info->si_syscall); rest != 0 && at > 0; rest /= 10) {
      digits.at(--at) = static_cast<char>('0' + rest % 10);
    }
    put(&digits.at(at));
  }
  put(", which plugins may not");
  plugin_wire::Header header;
  header.type = static_cast<uint16_t>(plugin_wire::Type::kLastWords);
  header.total = static_cast<uint32_t>(size);
  std::memcpy(packet.data(), &header, sizeof header);
  std::memcpy(packet.data() + sizeof header, text.data(), size);
  send(channel_of_handler, packet.data(), sizeof header + size, MSG_NOSIGNAL | MSG_DONTWAIT);
  _exit(kExitForbidden);
}

Status handle_forbidden(int channel) {
  channel_of_handler = channel;
  // A plugin may have overflown its stack.
  static std::array<char, 16384> stack;
  const stack_t alternative = {stack.data(), 0, stack.size()};
  sigaltstack(&alternative, nullptr);
  struct sigaction action{};
  action.sa_sigaction = on_forbidden;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  if (sigaction(SIGSYS, &action, nullptr) != 0) return errno_error(errno, "sigaction");
  return {};
}

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
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  limit(RLIMIT_AS, kMemory);  // the sanitizers' own takes terabytes
#endif
}

// What running code needs, be it a plugin's or the host's.
void allow_running(SeccompFilter& filter) {
  for (const int call : {SYS_read,
                         SYS_write,
                         SYS_readv,
                         SYS_writev,
                         SYS_sendto,
                         SYS_recvfrom,
                         SYS_sendmsg,
                         SYS_recvmsg,
                         SYS_ppoll,
                         SYS_close,
                         SYS_close_range,
                         SYS_dup,
                         SYS_lseek,
                         SYS_fstat,
                         SYS_munmap,
                         SYS_mremap,
                         SYS_madvise,
                         SYS_brk,
                         SYS_futex,
                         SYS_clock_gettime,
                         SYS_clock_getres,
                         SYS_clock_nanosleep,
                         SYS_nanosleep,
                         SYS_gettimeofday,
                         SYS_getrandom,
                         SYS_exit,
                         SYS_exit_group,
                         SYS_rt_sigprocmask,
                         SYS_rt_sigreturn,
                         SYS_sigaltstack,
                         SYS_gettid,
                         SYS_getpid,
                         SYS_getppid,
                         SYS_getuid,
                         SYS_geteuid,
                         SYS_getgid,
                         SYS_getegid,
                         SYS_sched_yield,
                         SYS_sched_getaffinity,
                         SYS_set_robust_list,
                         SYS_get_robust_list,
                         SYS_rseq,
                         SYS_getrusage,
                         SYS_times,
                         SYS_sysinfo,
                         SYS_uname,
                         SYS_restart_syscall,
                         SYS_membarrier,
                         SYS_set_tid_address,
                         SYS_getcpu}) {
    filter.allow(call);
  }
#if defined(__x86_64__)
  for (const int call : {SYS_poll, SYS_time, SYS_arch_prctl}) filter.allow(call);
  filter.refuse(SYS_access, EACCES);
  filter.refuse(SYS_readlink, EACCES);
#endif
  filter.refuse(SYS_faccessat, EACCES);
  filter.refuse(SYS_readlinkat, EACCES);
  filter.refuse(SYS_ioctl, ENOTTY);
  filter.refuse(SYS_clone3, ENOSYS);  // the C library goes on with clone, whose flags can be seen
  filter.allow_if(SYS_clone, 0, CLONE_THREAD, CLONE_THREAD, 0);
  filter.allow_if(SYS_tgkill, 0, ~0U, static_cast<uint32_t>(getpid()), 0);
  filter.allow_if_zero(SYS_prlimit64, 2, EPERM);
  filter.allow_if_any(SYS_fcntl, 1, ~0U, {F_GETFD, F_SETFD, F_GETFL}, EPERM);
  filter.allow_if_any(SYS_prctl, 0, ~0U, {PR_SET_NAME, PR_GET_NAME, 0x53564d41 /* PR_SET_VMA */}, EPERM);
  // fstat() is a call by descriptor, with an empty path.
  filter.allow_if(SYS_newfstatat, 3, 0x1000 /* AT_EMPTY_PATH */, 0x1000, EACCES);
}

}  // namespace

Status follow_parent(int parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (parent != 0 && getppid() != parent) return Error(Code::kAborted, "the agent is gone");
  setpriority(PRIO_PROCESS, 0, kNice);  // collecting goes first
  if (const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC); fd >= 0) {
    const std::string score = std::to_string(kOomScore);
    [[maybe_unused]] const ssize_t written = write(fd, score.data(), score.size());
    close(fd);
  }
  return {};
}

Status KernelSandbox::confine_loading(const std::string& library) {
  tzset();  // reads the time zone now: localtime() goes on to work without files
  limit_resources();
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno_error(errno, "no_new_privs");
  if (Status handled = handle_forbidden(channel_); !handled) return handled;
  Status files =
      restrict_files({"/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache", library});
  if (!files && files.error().code() != Code::kUnimplemented) return files;
  loading_ = true;
  // What the loader and confine() need besides; the first rule of a call counts.
  SeccompFilter filter;
  for (const int call : {SYS_mmap, SYS_mprotect, SYS_rt_sigaction, SYS_pread64, SYS_getcwd, SYS_statx, SYS_memfd_create,
                         SYS_seccomp, SYS_landlock_create_ruleset, SYS_landlock_add_rule, SYS_landlock_restrict_self,
                         SYS_ftruncate, SYS_setrlimit, SYS_fcntl, SYS_newfstatat}) {
    filter.allow(call);
  }
  // That it ends with the agent is not for a library to change.
  filter.allow_if_any(SYS_prctl, 0, ~0U,
                      {PR_SET_NAME, PR_GET_NAME, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, 0x53564d41 /* PR_SET_VMA */},
                      EPERM);
  // Its own limits, and nobody else's: the agent runs as the same user.
  filter.allow_if(SYS_prlimit64, 0, ~0U, 0, EPERM);
  // Reading alone.
  filter.allow_if(SYS_openat, 2, O_ACCMODE, O_RDONLY, EACCES);
  allow_running(filter);
  return filter.install();
}

Status KernelSandbox::confine() {
  if (!loading_) {
    tzset();
    limit_resources();
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno_error(errno, "no_new_privs");
  }
  // While it was loaded, a library may have put another in its place.
  if (Status handled = handle_forbidden(channel_); !handled) return handled;
  limit(RLIMIT_FSIZE, 0);
  prctl(PR_SET_DUMPABLE, 0);
  Status files = restrict_files({});
  if (!files && files.error().code() != Code::kUnimplemented) return files;
  SeccompFilter filter;
  allow_running(filter);
  filter.allow_if(SYS_mmap, 2, PROT_EXEC, 0, EPERM);
  filter.allow_if(SYS_mprotect, 2, PROT_EXEC, 0, EPERM);
  // All but the handler of what is forbidden may be changed.
  filter.allow_if_any(
      SYS_rt_sigaction, 0, ~0U,
      [] {
        std::vector<uint32_t> all;
        for (uint32_t number = 1; number <= 64; ++number) {
          if (number != SIGSYS) all.push_back(number);
        }
        return all;
      }(),
      EPERM);
  return filter.install();
}

}  // namespace monitor::plugin_host
