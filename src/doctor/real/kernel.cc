// The kernel's features, each asked by a call that changes nothing.
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>

#include "base/disk.h"
#include "doctor/real/real_host.h"

namespace monitor::doctor {

KernelFacts RealHost::kernel() {
  KernelFacts facts;
  utsname names{};
  if (uname(&names) == 0) facts.release = names.release;
  const long landlock = syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  facts.landlock = static_cast<uint32_t>(std::max(landlock, 0L));
  const uint32_t action = SECCOMP_RET_KILL_PROCESS;
  facts.seccomp = syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
  const Fd memory(memfd_create("doctor", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  facts.sealed_memory = memory.valid() && fcntl(memory.get(), F_ADD_SEALS, F_SEAL_WRITE) == 0;
  facts.no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) >= 0;
  open_how how{};
  how.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH;
  const Fd here(static_cast<int>(syscall(SYS_openat2, AT_FDCWD, ".", &how, sizeof how)));
  facts.beneath = here.valid();
  return facts;
}

}  // namespace monitor::doctor
