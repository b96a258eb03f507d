// A plugin that does its harm while it is loaded, before any of its functions is called: it takes the agent's
// descriptors away. For tests.
#include <sys/resource.h>
#include <unistd.h>

#include "plugin.hpp"

namespace {

class Early final : public monitor::sdk::Plugin {
 public:
  bool run(monitor::sdk::Batch&) override { return true; }
};

[[gnu::constructor]] void harm() {
  const rlimit none = {8, 8};
  prlimit(getppid(), RLIMIT_NOFILE, &none, nullptr);
}

}  // namespace

MONITOR_PLUGIN(Early, "early", "1.0")
