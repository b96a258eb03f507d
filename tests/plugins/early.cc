// A plugin that does its harm while it is loaded, before any of its functions is called: it takes the agent's
// descriptors away, would live on without the agent, and puts a handler in the place of that for what is forbidden. In
// run() it calls something that is. For tests.
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
