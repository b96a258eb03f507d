// What the kernel offers to the sandbox of plugins (src/plugins/host/). The sandbox uses no user namespaces.
#include <fmt/format.h>

#include "doctor/checks.h"

namespace monitor::doctor {

namespace {

Findings run(const Context& context) {
  const KernelFacts kernel = context.host.kernel();
  Findings findings;
  const auto need = [&findings](bool there, const char* what, const char* remedy) {
    findings.push_back(
        there ? ok(std::string(what) + ": available")
              : fail(std::string(what) + ": not available; native plugins and scripts cannot start", remedy));
  };
  need(kernel.seccomp, "seccomp filters",
       "use a kernel with CONFIG_SECCOMP_FILTER; a container must not deny seccomp(2)");
  need(kernel.no_new_privs, "no_new_privs", "use Linux 3.5 or newer");
  need(kernel.sealed_memory, "sealed memory (memfd_create)",
       "a container's filter must allow memfd_create(2), and vm.memfd_noexec must not be 2");
  if (kernel.landlock == 0) {
    findings.push_back(
        warn(fmt::format("Landlock: none in Linux {}; seccomp alone denies files to plugins", kernel.release),
             "use Linux 5.13 or newer, and put landlock into the kernel's parameter lsm=; a container's filter must "
             "allow it"));
  } else {
    findings.push_back(ok(fmt::format("Landlock: version {}, Linux {}", kernel.landlock, kernel.release)));
  }
  findings.push_back(kernel.beneath ? ok("openat2: available")
                                    : ok("openat2: not available; programs resolve paths of documents themselves"));
  return findings;
}

}  // namespace

const Check kSandboxCheck = {"sandbox", "the kernel's features for the sandbox of plugins: seccomp, Landlock", run};

}  // namespace monitor::doctor
