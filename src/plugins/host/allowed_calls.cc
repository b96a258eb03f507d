#include "plugins/host/allowed_calls.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace monitor::plugin_host {

namespace {

constexpr uint32_t kAll = ~0U;
constexpr uint32_t kSetVma = 0x53564d41;  // PR_SET_VMA: names of mappings
constexpr int kLargeFile = 0100000;       // the kernel's value of O_LARGEFILE
constexpr uint32_t kNoDynamicClock = 0x8000'0000U;
// The flags with which the C library calls clone() for a thread: everything is shared. Other flags would create a
// process, a namespace or a tracer.
constexpr uint32_t kThread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                             CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;

// Calls that only affect this process or its open descriptors, whatever their arguments.
void allow_harmless(SeccompFilter& filter) {
  for (const int call : {SYS_read,
                         SYS_write,
                         SYS_readv,
                         SYS_writev,
                         SYS_pread64,
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
                         SYS_getrusage,
                         SYS_times,
                         SYS_set_robust_list,
                         SYS_get_robust_list,
                         SYS_rseq,
                         SYS_sysinfo,
                         SYS_uname,
                         SYS_restart_syscall,
                         SYS_membarrier,
                         SYS_getcpu,
                         SYS_set_tid_address,
                         SYS_sched_getaffinity}) {
    filter.allow(call);
  }
#if defined(__x86_64__)
  for (const int call : {SYS_poll, SYS_time}) filter.allow(call);
  filter.refuse(SYS_access, EACCES);
  filter.refuse(SYS_readlink, EACCES);
#endif
  filter.refuse(SYS_faccessat, EACCES);
  filter.refuse(SYS_readlinkat, EACCES);
  filter.refuse(SYS_ioctl, ENOTTY);
}

// Calls that could affect others with the wrong arguments. They must not send a signal to another process. This
// concerns kill() and similar calls, and the owner of a descriptor (F_SETOWN, F_SETSIG, F_SETFL with O_ASYNC, and
// ioctl, which is refused completely). They must not read a clock or limit of another process either.
void allow_bounded(SeccompFilter& filter) {
  for (const int call : {SYS_clock_gettime, SYS_clock_getres, SYS_clock_nanosleep}) {
    filter.allow_if(call, 0, kNoDynamicClock, 0, EINVAL);
  }
  filter.allow_if(SYS_tgkill, 0, kAll, static_cast<uint32_t>(getpid()), 0);
  filter.allow_if_any(SYS_fcntl, 1, kAll, {F_GETFD, F_SETFD, F_GETFL}, EPERM);
  filter.allow_if_any(SYS_prctl, 0, kAll, {PR_SET_NAME, PR_GET_NAME, kSetVma}, EPERM);
}

void allow_threads(SeccompFilter& filter, bool threads) {
  filter.refuse(SYS_clone3, ENOSYS);  // the C library falls back to clone, whose flags a filter can check
  if (threads) {
    filter.allow_if(SYS_clone, 0, ~static_cast<uint32_t>(CLONE_DETACHED), kThread, 0);
  } else {
    filter.refuse_when(SYS_clone, {{0, CLONE_THREAD, CLONE_THREAD}}, EAGAIN);
  }
}

}  // namespace

void allow_loading(SeccompFilter& filter) {
  for (const int call :
       {SYS_mmap, SYS_mprotect, SYS_rt_sigaction, SYS_getcwd, SYS_getdents64, SYS_statx, SYS_newfstatat, SYS_seccomp,
        SYS_landlock_create_ruleset, SYS_landlock_add_rule, SYS_landlock_restrict_self, SYS_capset, SYS_capget}) {
    filter.allow(call);
  }
  filter.allow_if(SYS_prlimit64, 0, kAll, 0, EPERM);
  filter.allow_if_any(SYS_prctl, 0, kAll, {PR_SET_NAME, PR_GET_NAME, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, kSetVma},
                      EPERM);
  constexpr int kReadingAlone = O_CLOEXEC | O_NOFOLLOW | O_DIRECTORY | O_NONBLOCK | O_NOCTTY | O_LARGEFILE | kLargeFile;
  filter.allow_if(SYS_openat, 2, ~static_cast<uint32_t>(kReadingAlone), O_RDONLY, EACCES);
  allow_threads(filter, true);
  allow_bounded(filter);
  allow_harmless(filter);
}

void allow_plugin(SeccompFilter& filter, int library, bool threads) {
  allow_threads(filter, threads);
  allow_bounded(filter);
  allow_harmless(filter);
  // Shared memory without a file does not count as the process's data, so no limit would bound it.
  constexpr uint32_t kShared = MAP_SHARED | MAP_ANONYMOUS;
  filter.refuse_when(SYS_mmap, {{3, kShared, kShared}}, EPERM);
  filter.allow_when(SYS_mmap, {{2, PROT_EXEC, 0}});
  if (library >= 0) {
    filter.allow_when(
        SYS_mmap,
        {{2, PROT_EXEC | PROT_WRITE, PROT_EXEC}, {3, MAP_ANONYMOUS, 0}, {4, kAll, static_cast<uint32_t>(library)}});
  }
  filter.refuse(SYS_mmap, EPERM);
  filter.allow_if(SYS_mprotect, 2, PROT_EXEC, 0, EPERM);
  // getrlimit() of this process.
  filter.allow_when(SYS_prlimit64, {{0, kAll, 0}, {2, kAll, 0}, {2, kAll, 0, true}});
  filter.refuse(SYS_prlimit64, EPERM);
  // Reading a handler changes nothing; Go's runtime reads all of them.
  filter.allow_when(SYS_rt_sigaction, {{1, kAll, 0}, {1, kAll, 0, true}});
  // The handler for forbidden calls must stay, and so must the signal that ends a process without processor time left.
  for (const uint32_t signal : {uint32_t{SIGSYS}, uint32_t{SIGXCPU}})
    filter.refuse_when(SYS_rt_sigaction, {{0, kAll, signal}}, EPERM);
  filter.allow(SYS_rt_sigaction);
}

}  // namespace monitor::plugin_host
