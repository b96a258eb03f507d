#include "plugins/host/forbidden_calls.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>

#include "plugins/host/sandbox.h"
#include "plugins/wire/wire.h"

namespace monitor::plugin_host {

namespace {

volatile int channel_of_handler = -1;
volatile int lent = -1;
volatile bool refuses = false;

struct Named {
  int call;
  const char* name;
};

// Names of the calls that people are most likely to ask about; other calls are reported by number.
constexpr std::array kNames = {
    Named{SYS_openat, "openat"},
    Named{SYS_openat2, "openat2"},
    Named{SYS_socket, "socket"},
    Named{SYS_socketpair, "socketpair"},
    Named{SYS_connect, "connect"},
    Named{SYS_bind, "bind"},
    Named{SYS_listen, "listen"},
    Named{SYS_execve, "execve"},
    Named{SYS_execveat, "execveat"},
    Named{SYS_clone, "clone (a process)"},
    Named{SYS_kill, "kill"},
    Named{SYS_tgkill, "tgkill"},
    Named{SYS_tkill, "tkill"},
    Named{SYS_rt_sigqueueinfo, "sigqueue"},
    Named{SYS_rt_tgsigqueueinfo, "rt_tgsigqueueinfo"},
    Named{SYS_pidfd_open, "pidfd_open"},
    Named{SYS_pidfd_send_signal, "pidfd_send_signal"},
    Named{SYS_ptrace, "ptrace"},
    Named{SYS_process_vm_readv, "process_vm_readv"},
    Named{SYS_process_vm_writev, "process_vm_writev"},
    Named{SYS_unlinkat, "unlinkat"},
    Named{SYS_mkdirat, "mkdirat"},
    Named{SYS_memfd_create, "memfd_create"},
    Named{SYS_ftruncate, "ftruncate"},
    Named{SYS_truncate, "truncate"},
    Named{SYS_newfstatat, "stat"},
    Named{SYS_statx, "statx"},
    Named{SYS_dup3, "dup3"},
    Named{SYS_setitimer, "setitimer"},
    Named{SYS_timer_create, "timer_create"},
    Named{SYS_io_uring_setup, "io_uring_setup"},
    Named{SYS_userfaultfd, "userfaultfd"},
    Named{SYS_bpf, "bpf"},
    Named{SYS_perf_event_open, "perf_event_open"},
    Named{SYS_keyctl, "keyctl"},
    Named{SYS_add_key, "add_key"},
    Named{SYS_seccomp, "seccomp"},
    Named{SYS_setns, "setns"},
    Named{SYS_unshare, "unshare"},
    Named{SYS_mount, "mount"},
    Named{SYS_setuid, "setuid"},
    Named{SYS_personality, "personality"},
#if defined(__x86_64__)
    Named{SYS_open, "open"},
    Named{SYS_creat, "creat"},
    Named{SYS_fork, "fork"},
    Named{SYS_vfork, "vfork"},
    Named{SYS_unlink, "unlink"},
    Named{SYS_mkdir, "mkdir"},
    Named{SYS_dup2, "dup2"},
    Named{SYS_alarm, "alarm"},
    Named{SYS_stat, "stat"},
#endif
};

struct Answers {
#if defined(__x86_64__)
  explicit Answers(void* context) : registers(static_cast<ucontext_t*>(context)->uc_mcontext.gregs) {}
  uint64_t argument(int i) const {
    constexpr std::array kWhere = {REG_RDI, REG_RSI, REG_RDX, REG_R10};
    return static_cast<uint64_t>(registers[kWhere.at(static_cast<size_t>(i))]);
  }
  void give(int64_t result) const { registers[REG_RAX] = result; }
  greg_t* registers;
#else
  explicit Answers(void* context) : registers(static_cast<ucontext_t*>(context)->uc_mcontext.regs) {}
  uint64_t argument(int i) const { return registers[i]; }
  void give(int64_t result) const { registers[0] = static_cast<unsigned long long>(result); }
  unsigned long long* registers;
#endif
};

// Calls that look for files, or make a descriptor.
constexpr std::array kAsking = {
    SYS_openat,        SYS_openat2,   SYS_newfstatat,    SYS_statx,          SYS_statfs,       SYS_fstatfs,
    SYS_getcwd,        SYS_chdir,     SYS_getdents64,    SYS_mkdirat,        SYS_unlinkat,     SYS_renameat2,
    SYS_fchmodat,      SYS_utimensat, SYS_socket,        SYS_socketpair,     SYS_pipe2,        SYS_eventfd2,
    SYS_epoll_create1, SYS_pselect6,  SYS_inotify_init1, SYS_timerfd_create, SYS_signalfd4,    SYS_faccessat2,
    SYS_memfd_create,
#if defined(__x86_64__)
    SYS_open,          SYS_creat,     SYS_stat,          SYS_lstat,          SYS_mkdir,        SYS_unlink,
    SYS_rmdir,         SYS_rename,    SYS_pipe,          SYS_select,         SYS_epoll_create, SYS_chmod,
#endif
};

bool asks(int call) {
  for (const long one : kAsking) {
    if (one == call) return true;
  }
  return false;
}

// A file that Go's runtime opens when it starts, and can do without.
constexpr const char* kPageSizeFile = "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size";

bool opens(int call) {
#if defined(__x86_64__)
  if (call == SYS_open) return true;
#endif
  return call == SYS_openat;
}

// This code must not allocate or take a lock.
[[noreturn]] void end_for(int call) {
  std::array<char, 256> packet{};
  std::array<char, 128> text{};
  const char* name = nullptr;
  for (const Named& one : kNames) {
    if (one.call == call) name = one.name;
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
    for (auto rest = static_cast<unsigned>(call); rest != 0 && at > 0; rest /= 10) {
      digits.at(--at) = static_cast<char>('0' + rest % 10);
    }
    put(&digits.at(at));
  }
  put(", which is not allowed for plugins");
  plugin_wire::Header header;
  header.type = static_cast<uint16_t>(plugin_wire::Type::kLastWords);
  header.total = static_cast<uint32_t>(size);
  std::memcpy(packet.data(), &header, sizeof header);
  std::memcpy(packet.data() + sizeof header, text.data(), size);
  send(channel_of_handler, packet.data(), sizeof header + size, MSG_NOSIGNAL | MSG_DONTWAIT);
  _exit(kExitForbidden);
}

void on_forbidden(int, siginfo_t* info, void* context) {
  const Answers call(context);
  if (opens(info->si_syscall) && lent >= 0) {
    call.give(lent);
    lent = -1;
    return;
  }
  // Some C libraries implement fstat() as a stat of the empty path, which only concerns the descriptor. The filter
  // cannot see paths, so the handler makes the equivalent call without a path.
  if (info->si_syscall == SYS_newfstatat && (call.argument(3) & AT_EMPTY_PATH) != 0) {
    const auto* const path = reinterpret_cast<const char*>(call.argument(1));  // NOLINT(performance-no-int-to-ptr)
    if (path == nullptr || *path == '\0') {
      const long result = syscall(SYS_fstat, static_cast<int>(call.argument(0)), call.argument(2));
      call.give(result < 0 ? -errno : result);
      return;
    }
  }
  if (info->si_syscall == SYS_openat) {
    const auto* const path = reinterpret_cast<const char*>(call.argument(1));  // NOLINT(performance-no-int-to-ptr)
    if (path != nullptr && std::strcmp(path, kPageSizeFile) == 0) return call.give(-EACCES);
  }
  if (refuses && asks(info->si_syscall)) return call.give(-EACCES);
  end_for(info->si_syscall);
}

}  // namespace

Status handle_forbidden_calls(int channel, bool refuse) {
  channel_of_handler = channel;
  refuses = refuse;
  // An alternative stack, because a plugin may have overflowed its own.
  static std::array<char, size_t{32} * 1024> stack;
  const stack_t alternative = {stack.data(), 0, stack.size()};
  sigaltstack(&alternative, nullptr);
  struct sigaction action{};
  action.sa_sigaction = on_forbidden;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  if (sigaction(SIGSYS, &action, nullptr) != 0) return errno_error(errno, "sigaction");
  return {};
}

void lend_to_next_open(int fd) { lent = fd; }

}  // namespace monitor::plugin_host
