// A test plugin that tries one attack in one phase and prints the result. `order` selects attack and phase. A test
// patches its bytes in a copy of the file, because constructors run before the plugin can read any configuration.
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "plugin.hpp"

namespace {

// "ATTACK-ORDER:", the phase, the attack, and its target file.
__attribute__((used)) volatile char order[400] = "ATTACK-ORDER:none none /nowhere";

constexpr int kChannel = 3;
char target[300];
long memory = 0;

long attack_files(const char* what) {
  const auto is = [what](const char* name) { return std::strcmp(what, name) == 0; };
  if (is("truncating_open")) return open(target, O_RDONLY | O_TRUNC);
  if (is("read")) return open(target, O_RDONLY);
  if (is("shadow")) return open("/etc/shadow", O_RDONLY);
  if (is("create")) return open((std::string(target) + ".new").c_str(), O_CREAT | O_RDWR, 0644);
  if (is("unnamed")) return open("/tmp", O_TMPFILE | O_RDWR, 0644);
  if (is("write")) return open(target, O_WRONLY | O_APPEND);
  if (is("path")) return open(target, O_PATH);
  if (is("async_open")) return open("/dev/null", O_RDONLY | O_ASYNC);
  if (is("creat")) return creat(target, 0644);
  if (is("openat2")) {
    uint64_t how[3] = {O_RDONLY | O_TRUNC, 0, 0};
    return syscall(SYS_openat2, AT_FDCWD, target, how, sizeof how);
  }
  if (is("truncate")) return truncate(target, 0);
  if (is("unlink")) return unlink(target);
  if (is("rename")) return rename(target, (std::string(target) + ".new").c_str());
  if (is("chmod")) return chmod(target, 0777);
  if (is("link")) return link(target, (std::string(target) + ".new").c_str());
  if (is("mkdir")) return mkdir((std::string(target) + ".new").c_str(), 0755);
  if (is("mkfifo")) return mkfifo((std::string(target) + ".new").c_str(), 0644);
  if (is("stat")) {
    struct stat info{};
    return syscall(SYS_newfstatat, AT_FDCWD, target, &info, AT_EMPTY_PATH);
  }
  if (is("statx")) {
    struct statx info{};
    return statx(AT_FDCWD, target, 0, STATX_SIZE, &info);
  }
  if (is("memfd")) return static_cast<long>(syscall(SYS_memfd_create, "x", 0));
  if (is("chdir")) return chdir("/tmp");
  return -2;
}

long attack_agent(const char* what) {
  const auto is = [what](const char* name) { return std::strcmp(what, name) == 0; };
  const pid_t agent = getppid();
  if (is("kill")) return kill(agent, SIGUSR1);
  if (is("kill_all")) return kill(-1, SIGUSR1);
  if (is("kill_group")) return kill(0, SIGUSR1);
  if (is("tkill")) return syscall(SYS_tkill, agent, SIGUSR1);
  if (is("tgkill")) return syscall(SYS_tgkill, agent, agent, SIGUSR1);
  if (is("sigqueue")) return sigqueue(agent, SIGUSR1, {});
  if (is("pidfd")) return static_cast<long>(syscall(SYS_pidfd_open, agent, 0));
  if (is("pidfd_signal")) return syscall(SYS_pidfd_send_signal, kChannel, SIGUSR1, nullptr, 0);
  if (is("setown")) return fcntl(kChannel, F_SETOWN, agent);
  if (is("setown_ex")) {
    f_owner_ex owner = {F_OWNER_PID, agent};
    return fcntl(kChannel, F_SETOWN_EX, &owner);
  }
  if (is("setsig")) return fcntl(kChannel, F_SETSIG, SIGUSR1);
  if (is("async")) return fcntl(kChannel, F_SETFL, O_ASYNC);
  if (is("notify")) return fcntl(kChannel, F_NOTIFY, DN_MODIFY);
  if (is("lease")) return fcntl(1, F_SETLEASE, F_RDLCK);
  if (is("pipe_size")) return fcntl(1, F_SETPIPE_SZ, 4096);
  if (is("fioasync")) {
    int on = 1;
    return ioctl(kChannel, FIOASYNC, &on);
  }
  if (is("siocspgrp")) return ioctl(kChannel, 0x8902, &agent);
  if (is("fiosetown")) return ioctl(kChannel, 0x8901, &agent);
  if (is("tiocsti")) return ioctl(0, TIOCSTI, "x");
  if (is("memory_read") || is("memory_write")) {
    iovec mine = {&memory, sizeof memory};
    iovec theirs = {&memory, sizeof memory};
    return is("memory_read") ? process_vm_readv(agent, &mine, 1, &theirs, 1, 0)
                             : process_vm_writev(agent, &mine, 1, &theirs, 1, 0);
  }
  if (is("memory_file")) return open(("/proc/" + std::to_string(agent) + "/mem").c_str(), O_RDWR);
  if (is("ptrace")) return ptrace(PTRACE_SEIZE, agent, nullptr, nullptr);
  if (is("pidfd_getfd")) return syscall(SYS_pidfd_getfd, kChannel, 0, 0);
  if (is("limits")) {
    const rlimit none = {8, 8};
    return prlimit(agent, RLIMIT_NOFILE, &none, nullptr);
  }
  if (is("read_limits")) {
    rlimit now{};
    return prlimit(agent, RLIMIT_NOFILE, nullptr, &now);
  }
  if (is("priority")) return setpriority(PRIO_PROCESS, static_cast<id_t>(agent), 19);
  if (is("affinity")) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(0, &set);
    return sched_setaffinity(agent, sizeof set, &set);
  }
  if (is("agents_clock")) {
    timespec now{};
    return static_cast<long>(syscall(SYS_clock_gettime, (~agent << 3) | 2, &now));
  }
  if (is("timer")) {
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = SIGUSR1;
    timer_t made{};
    return timer_create(CLOCK_MONOTONIC, &event, &made);
  }
  if (is("itimer")) {
    const itimerval when = {{0, 1000}, {0, 1000}};
    return setitimer(ITIMER_REAL, &when, nullptr);
  }
  return -2;
}

// int 0x80 uses the 32-bit system call numbers: 5 is open().
long old_entry(const char* path) {
#if defined(__x86_64__)
  long result = 5;
  __asm__ volatile("int $0x80" : "+a"(result) : "b"(path), "c"(0L), "d"(0L) : "memory", "r8", "r9", "r10", "r11");
  return result;
#else
  (void)path;
  return -1;
#endif
}

long attack_itself(const char* what) {
  const auto is = [what](const char* name) { return std::strcmp(what, name) == 0; };
  if (is("fork")) return fork();
  if (is("vfork")) return syscall(SYS_clone, CLONE_VFORK | CLONE_VM | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
  if (is("clone")) return syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr);
  if (is("clone3")) {
    uint64_t arguments[11] = {};
    arguments[4] = SIGCHLD;
    return syscall(SYS_clone3, arguments, sizeof arguments);
  }
  if (is("namespace_thread"))
    return syscall(SYS_clone, CLONE_THREAD | CLONE_SIGHAND | CLONE_VM | CLONE_NEWNET, nullptr);
  if (is("exec")) return execl("/bin/true", "true", nullptr);
  if (is("execveat")) return syscall(SYS_execveat, AT_FDCWD, "/bin/true", nullptr, nullptr, 0);
  if (is("socket")) return socket(AF_INET, SOCK_STREAM, 0);
  if (is("unix_socket")) return socket(AF_UNIX, SOCK_STREAM, 0);
  if (is("netlink")) return socket(AF_NETLINK, SOCK_RAW, 0);
  if (is("socketpair")) {
    int ends[2];
    return socketpair(AF_UNIX, SOCK_DGRAM, 0, ends);
  }
  if (is("abstract")) {
    sockaddr_un to{AF_UNIX, "\0monitor-test"};
    return connect(kChannel, reinterpret_cast<sockaddr*>(&to), sizeof to);
  }
  if (is("dup_over")) return dup2(1, kChannel);
  if (is("io_uring")) return syscall(SYS_io_uring_setup, 1, &memory);
  if (is("userfaultfd")) return syscall(SYS_userfaultfd, 0);
  if (is("keyctl")) return syscall(SYS_keyctl, 0, -3, 1);
  if (is("bpf")) return syscall(SYS_bpf, 0, nullptr, 0);
  if (is("perf")) {
    perf_event_attr attributes{};
    return syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0);
  }
  if (is("exec_memory")) {
    return mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
               ? -1
               : 0;
  }
  if (is("exec_null")) return mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, 0, 0) == MAP_FAILED ? -1 : 0;
  if (is("exec_later")) {
    void* const block = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return mprotect(block, 4096, PROT_READ | PROT_EXEC);
  }
  if (is("raise_limits")) {
    const rlimit more = {1024, 1024};
    return setrlimit(RLIMIT_NOFILE, &more);
  }
  if (is("deathsig")) return prctl(PR_SET_PDEATHSIG, 0);
  if (is("dumpable")) return prctl(PR_SET_DUMPABLE, 1);
  if (is("ptracer")) return prctl(0x59616d61, -1L);
  if (is("seccomp")) return syscall(SYS_seccomp, 0, 0, nullptr);
  if (is("handler")) return signal(SIGSYS, SIG_IGN) == SIG_ERR ? -1 : 0;
  if (is("unshare")) return unshare(CLONE_NEWUSER);
  if (is("setns")) return setns(kChannel, 0);
  if (is("mount")) return syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, nullptr);
  if (is("personality")) return static_cast<long>(syscall(SYS_personality, 0x0400000));
  if (is("setuid")) return setuid(0);
  if (is("shared_memory")) return syscall(SYS_shmget, 0, 4096, 01777);
  if (is("x32")) return syscall(0x40000000 | SYS_openat, AT_FDCWD, target, O_RDONLY);
  if (is("i386")) return old_entry(target);
  if (is("second_open")) return syscall(SYS_openat, AT_FDCWD, "/proc/self/exe", O_RDONLY);
  return -2;
}

void report(const char* what, long result) {
  char line[200];
  const int size = std::snprintf(line, sizeof line, "ATTACK %s %s\n", what,
                                 result == -2 ? "unknown"
                                 : result < 0 ? "refused"
                                              : "done");
  [[maybe_unused]] const ssize_t written = write(1, line, static_cast<size_t>(size));
}

void act(const char* when) {
  char text[400];
  for (size_t i = 0; i < sizeof text; ++i) text[i] = order[i];
  char wanted[40];
  char what[40];
  if (std::sscanf(text, "ATTACK-ORDER:%39s %39s %299s", wanted, what, target) != 3 || std::strcmp(wanted, when) != 0)
    return;
  if (std::strcmp(what, "forever") == 0) {
    while (true) pause();
  }
  if (std::strcmp(what, "exit") == 0) std::exit(0);
  if (std::strcmp(what, "abort") == 0) std::abort();
  if (std::strcmp(what, "close_all") == 0) {
    for (int fd = 0; fd < 64; ++fd) close(fd);
    return;
  }
  long result = attack_files(what);
  if (result == -2) result = attack_agent(what);
  if (result == -2) result = attack_itself(what);
  report(what, result);
}

[[gnu::constructor(101)]] void constructor() { act("constructor"); }
[[gnu::destructor]] void destructor() { act("destructor"); }

// Called while the loader still relocates, so only plain system calls work.
using Function = int (*)();
int chosen() { return 0; }
#if defined(__x86_64__)
long raw(long number, long a, long b, long c) {
  long result = number;
  __asm__ volatile("syscall" : "+a"(result) : "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
  return result;
}
extern "C" __attribute__((used)) Function resolve() {
  const char wanted[] = "resolver ";
  for (size_t i = 0; i + 1 < sizeof wanted; ++i) {
    if (order[13 + i] != wanted[i]) return chosen;
  }
  char path[300] = {};
  size_t at = 13;
  for (int spaces = 0; spaces < 2 && at < sizeof order; ++at) spaces += order[at] == ' ' ? 1 : 0;
  for (size_t i = 0; i + 1 < sizeof path && order[at + i] != '\0'; ++i) path[i] = order[at + i];
  const long fd = raw(SYS_open, reinterpret_cast<long>(path), O_RDONLY | O_TRUNC, 0);
  const char done[] = "ATTACK resolver done\n";
  const char refused[] = "ATTACK resolver refused\n";
  raw(SYS_write, 1, reinterpret_cast<long>(fd < 0 ? refused : done), fd < 0 ? sizeof refused - 1 : sizeof done - 1);
  return chosen;
}
extern "C" int resolved() __attribute__((ifunc("resolve")));
#else
extern "C" int resolved() { return chosen(); }
#endif

class Attacker final : public monitor::sdk::Plugin {
 public:
  void initialize(monitor::sdk::Options&) override { act("initialize"); }
  bool run(monitor::sdk::Batch&) override { return resolved() == 0; }
  void finalize() override { act("finalize"); }
};

struct AtThreadEnd {
  ~AtThreadEnd() { act("thread_end"); }
  int value = 0;
};
thread_local AtThreadEnd at_thread_end;
[[gnu::constructor]] void touch() { at_thread_end.value = 1; }

}  // namespace

MONITOR_PLUGIN(Attacker, "attacker", "1.0")
