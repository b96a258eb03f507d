#include "bin/agent_init.h"

#include <fmt/format.h>
#include <unistd.h>

#include <iostream>

#include "agent/health.h"
#include "base/clock.h"
#include "base/disk.h"
#include "base/escape.h"
#include "bin/agent_health.h"
#include "bin/init/init_plan.h"

namespace monitor {

namespace {

constexpr int64_t kDeliverTimeout = 30 * kNanosPerSecond;
constexpr int64_t kAnswerTimeout = 2 * kNanosPerSecond;

std::string otherwise(std::string value, const std::string& usual) { return value.empty() ? usual : value; }

// Waits until the service says that it delivers.
int wait_until_it_delivers(const InitAnswers& answers, bool started) {
  if (!started) return kExitOk;
  PosixDisk disk;
  const std::string id = otherwise(otherwise(answers.agent_id, current_option(disk, "", "agent-id")), host_id().id);
  const std::string data = otherwise(current_option(disk, "", "data"), kServiceData);
  constexpr useconds_t kLook = 200'000;
  const SystemClock clock;
  const int64_t end = clock.mono_ns() + kDeliverTimeout;
  while (true) {
    const auto health = agent::ask_health(agent_folder_of(data, id), kAnswerTimeout);
    if (health && health->ready) {
      std::cout << printable(health->status) << "\n" << std::flush;
      return kExitOk;
    }
    if (clock.mono_ns() > end) {
      std::cout << printable_lines(fmt::format(
                       "{}\nIt goes on trying: see `journalctl -u monitor-agent` and `monitor-agent health`.",
                       health ? health->status : health.error().message()))
                << "\n"
                << std::flush;
      return kExitNegative;
    }
    usleep(kLook);
  }
}

}  // namespace

int run_agent_init(const Cli& cli, InitFlags& flags) { return run_init(cli, flags, wait_until_it_delivers); }

}  // namespace monitor
