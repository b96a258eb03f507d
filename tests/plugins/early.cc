// A test plugin that attacks while it is loaded, before any of its functions is called: it closes the agent's
// descriptors, tries to outlive the agent, and replaces the handler for forbidden system calls. In run() it makes a
// forbidden call.
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>

#include "plugin.hpp"

namespace {

class Early final : public monitor::sdk::Plugin {
 public:
  void initialize(monitor::sdk::Options& options) override { forbidden_ = options.boolean("forbidden", false); }
  bool run(monitor::sdk::Batch&) override {
    if (forbidden_) socket(AF_INET, SOCK_STREAM, 0);
    return true;
  }

 private:
  bool forbidden_ = false;
};

[[gnu::constructor]] void harm() {
  const rlimit none = {8, 8};
  prlimit(getppid(), RLIMIT_NOFILE, &none, nullptr);
  prctl(PR_SET_PDEATHSIG, 0);
  signal(SIGSYS, SIG_IGN);
}

}  // namespace

MONITOR_PLUGIN(Early, "early", "1.0")
