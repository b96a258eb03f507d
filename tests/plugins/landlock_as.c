/* landlock_as VERSION PROGRAM ARGUMENTS...: runs a program and its children as if the kernel had this Landlock version
 * (0: no Landlock). Rights of later versions are not enforced, because the program does not request them. For tests. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static void fail(const char* what) {
  perror(what);
  _exit(125);
}

/* Answers the system calls that query the version, until the last process has ended. */
static void answer(int listener, int version) {
  while (1) {
    struct pollfd wait = {listener, POLLIN, 0};
    if (poll(&wait, 1, -1) < 0 && errno == EINTR) continue;
    if ((wait.revents & POLLIN) == 0) _exit(0);
    struct seccomp_notif asked;
    memset(&asked, 0, sizeof asked);
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) != 0) continue;
    struct seccomp_notif_resp said = {asked.id, version, version == 0 ? -EOPNOTSUPP : 0, 0};
    if (version == 0) said.val = 0;
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &said);
  }
}

static void hand_over(int socket, int fd) {
  char space[CMSG_SPACE(sizeof fd)];
  char byte = 0;
  struct iovec part = {&byte, 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
  struct cmsghdr* head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(head), &fd, sizeof fd);
  if (sendmsg(socket, &message, 0) != 1) fail("sendmsg");
}

static int take_over(int socket) {
  char space[CMSG_SPACE(sizeof(int))];
  char byte;
  struct iovec part = {&byte, 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
  if (recvmsg(socket, &message, 0) != 1) _exit(125);
  int fd;
  memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
  return fd;
}

int main(int argc, char** argv) {
  if (argc < 3) return 64;
  const int version = atoi(argv[1]);
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) fail("socketpair");
  if (fork() == 0) {
    /* Detached from the parent, which must not wait for it, and without inherited descriptors that others read. */
    if (fork() != 0) _exit(0);
    close(ends[0]);
    const int listener = take_over(ends[1]);
    for (int fd = 0; fd < 1024; ++fd) {
      if (fd != listener) close(fd);
    }
    answer(listener, version);
  }
  struct sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_landlock_create_ruleset, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 1), /* LANDLOCK_CREATE_RULESET_VERSION */
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog filter = {sizeof program / sizeof program[0], program};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fail("no_new_privs");
  const int listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter);
  if (listener < 0) fail("seccomp");
  hand_over(ends[0], listener);
  close(listener);
  close(ends[1]);
  execv(argv[2], argv + 2);
  fail(argv[2]);
}
