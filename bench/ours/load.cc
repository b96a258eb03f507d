// Simulated agents that publish to a server: the load for a server and its floor. Prints "ready" when all streams are
// established. For every line on standard input it prints the number of acknowledged batches and the time.
//
//   bench-load port=N streams=N window=N per_second=N series=N ticks=N batches=N [payload=1|2]
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cstdio>

#include "floor/arguments.h"
#include "load/streams.h"

namespace monitor::bench {
namespace {

load::StreamsOptions options_of(const Arguments& arguments) {
  const auto size = [&](std::string_view name) { return static_cast<size_t>(arguments.number(name)); };
  load::StreamsOptions options;
  options.server = {"127.0.0.1", static_cast<uint16_t>(arguments.number("port"))};
  options.streams = size("streams");
  options.window = size("window");
  options.per_second = static_cast<double>(arguments.number("per_second"));
  options.shape = {.series = size("series"), .ticks = size("ticks")};
  if (arguments.has("payload")) options.shape.payload = static_cast<int>(size("payload"));
  options.batches = size("batches");
  return options;
}

void report(const load::StreamsStats& stats, int64_t now_ns) {
  std::printf("acknowledged=%llu rejected=%llu ended=%zu skipped=%llu ns=%lld reason=%s\n",
              static_cast<unsigned long long>(stats.acknowledged), static_cast<unsigned long long>(stats.rejected),
              stats.ended, static_cast<unsigned long long>(stats.skipped), static_cast<long long>(now_ns),
              stats.first_reason.c_str());
  static_cast<void>(std::fflush(stdout));
}

int run(const Arguments& arguments) {
  const SystemClock clock;
  EventLoop loop(clock);
  load::Streams streams(loop, options_of(arguments));
  loop.watch(STDIN_FILENO, EPOLLIN, [&](uint32_t) {
    std::array<char, 64> line{};
    if (read(STDIN_FILENO, line.data(), line.size()) <= 0) return loop.stop();
    report(streams.stats(), clock.mono_ns());
  });
  streams.start([] {
    std::puts("ready");
    static_cast<void>(std::fflush(stdout));
  });
  loop.run();
  return 0;
}

}  // namespace
}  // namespace monitor::bench

int main(int argc, char** argv) { return monitor::bench::run(monitor::bench::Arguments(argc, argv)); }
