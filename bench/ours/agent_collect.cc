// An agent without its stream: the real collectors, chain, encoder, spool and scheduler. It removes batches from the
// spool as if they had been acknowledged.
//
//   bench-agent-collect interval_us=N SELECTOR...
#include <cstdio>

#include "agent/agent.h"
#include "base/random.h"
#include "floor/arguments.h"
#include "inputs/proc/host_source.h"
#include "spool/memory_spool.h"

namespace monitor::bench {
namespace {

int run(const Arguments& arguments) {
  const SystemClock clock;
  EventLoop loop(clock);
  SystemRandom random;
  std::string incarnation(metrics::kIncarnationBytes, '\0');
  random.fill(incarnation.data(), incarnation.size());
  metrics::SeriesTable table;
  agent::HostSource source({}, table, clock);
  agent::Agent agent(loop, {"bench", "bench", incarnation, "0"}, table, source);
  agent::MemorySpool spool(agent.reports(), clock);
  agent.attach(spool, [&spool] {
    if (const auto batch = spool.next()) spool.acknowledged(batch->id);
  });

  config::Settings settings;
  settings.interval_ns = arguments.number("interval_us") * 1000;
  for (const std::string& selector : arguments.rest()) settings.metrics.push_back({.name = selector});
  if (agent.apply(settings, 1)) return 1;
  std::puts("ready");
  static_cast<void>(std::fflush(stdout));
  loop.run();
  return 0;
}

}  // namespace
}  // namespace monitor::bench

int main(int argc, char** argv) { return monitor::bench::run(monitor::bench::Arguments(argc, argv)); }
