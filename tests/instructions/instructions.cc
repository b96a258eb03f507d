// The work whose instructions tests/instructions/instructions_test.py counts under callgrind: a tick of an agent on a
// fixed host, and a message in the server. Only monitor_measured() is counted. What it takes differs between runs by
// the order of hash tables at most.
//
//   count_instructions agent|server FOLDER
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>

#include "agent/agent.h"
#include "base/testing/fake_clock.h"
#include "inputs/proc/host_source.h"
#include "inputs/stream/testing/ingest_world.h"
#include "load/batches.h"
#include "spool/memory_spool.h"

// callgrind counts what this function calls (--toggle-collect).
extern "C" void monitor_measured(const std::function<void()>& work);
__attribute__((noinline)) void monitor_measured(const std::function<void()>& work) { work(); }

namespace monitor {
namespace {

constexpr int kWarm = 20;
constexpr int kCounted = 200;

void write(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::trunc) << text; }

// The files of a host with two processors, whose counters grow.
class Host {
 public:
  explicit Host(const std::string& folder) : proc_(folder + "/proc") {
    std::filesystem::create_directories(proc_ + "/self");
    std::filesystem::create_directories(proc_ + "/net");
    std::filesystem::create_directories(proc_ + "/1/net");
    write(proc_ + "/self/cgroup", "0::/\n");
    write(proc_ + "/meminfo",
          "MemTotal:       24683652 kB\nMemFree:        19000000 kB\nMemAvailable:   22000000 kB\nBuffers:          "
          "100000 "
          "kB\nCached:          2500000 kB\nSwapTotal:             0 kB\nSwapFree:              0 kB\n");
    advance();
  }
  agent::Roots roots(const std::string& folder) const { return {proc_, folder + "/sys", ""}; }
  void advance() {
    ++second_;
    const auto grown = [this](int a_second) { return " " + std::to_string(1'000'000 + a_second * second_); };
    std::string stat;
    for (const char* const cpu : {"cpu ", "cpu0", "cpu1"}) {
      const int share = std::string_view(cpu) == "cpu " ? 2 : 1;
      stat += cpu + grown(10 * share) + " 0" + grown(5 * share) + grown(85 * share) + " 300 0 20 0 0 0\n";
    }
    write(proc_ + "/stat", stat + "ctxt 1\nbtime 1700000000\n");
    write(proc_ + "/diskstats", "   8       0 sda" + grown(3) + " 0" + grown(160) + " 50" + grown(7) + " 0" +
                                    grown(960) + " 90 0 100 140 0 0 0 0 0 0\n");
    for (const char* const place : {"/net/dev", "/self/net_dev", "/1/net/dev"}) {
      write(proc_ + place,
            "Inter-|   Receive                                                |  Transmit\n face |bytes    packets "
            "errs drop "
            "fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n  eth0:" +
                grown(100'000) + grown(90) + " 0 0 0 0 0 0" + grown(40'000) + grown(80) + " 0 0 0 0 0 0\n");
    }
  }

 private:
  std::string proc_;
  int second_ = 0;
};

int measure_agent(const std::string& folder) {
  Host host(folder);
  FakeTimers timers;
  metrics::SeriesTable table;
  agent::HostSource source(host.roots(folder), table, timers.clock());
  agent::Agent agent(timers, {"instructions", "host", std::string(metrics::kIncarnationBytes, 'i'), "1.0"}, table,
                     source);
  agent::MemorySpool spool(agent.reports(), timers.clock());
  size_t batches = 0;
  agent.attach(spool, [&] {
    while (const auto batch = spool.next()) {
      spool.acknowledged(batch->id);
      ++batches;
    }
  });
  config::Settings settings;
  settings.interval_ns = kNanosPerSecond;
  for (const char* const selector : {"cpu", "memory", "disk read", "disk write", "net in", "net out"}) {
    settings.metrics.push_back({.name = selector});
  }
  if (agent.apply(settings, 1)) return 1;
  const std::function<void()> second = [&timers] { timers.advance(kNanosPerSecond); };
  for (int i = 0; i < kWarm + kCounted; ++i) {
    host.advance();
    i < kWarm ? second() : monitor_measured(second);
  }
  std::printf("%d ticks, %zu batches, %zu series, %lu points\n", kCounted, batches, table.size(),
              static_cast<unsigned long>(agent.stats().points_made));
  // 8 values each second; the values at the start come on top.
  return batches >= kWarm + kCounted && agent.stats().points_made >= 8U * (kWarm + kCounted) ? 0 : 1;
}

class ServerWorld final : public server::IngestTest {
 public:
  void TestBody() override {}
  int measure() {
    load::BatchMaker maker("a1", 1, {.begin_ns = 1'700'000'000 * kNanosPerSecond});
    server::Agent agent(*ingest_);
    agent.handler->on_message(stream::encode(stream::Hello{"a1", maker.incarnation(), "1.0", "host"}));
    uint64_t acknowledged = 0;
    for (uint64_t number = 1; number <= kWarm + kCounted; ++number) {
      const std::string message = stream::encode(stream::Publish{number, maker.next()});
      const std::function<void()> work = [&] {
        agent.handler->on_message(message);
        turn();
      };
      number <= kWarm ? work() : monitor_measured(work);
      for (const std::string& heard : agent.heard())
        acknowledged = heard == "ack " + std::to_string(number) ? number : acknowledged;
    }
    std::printf("%d messages, %lu acknowledged\n", kCounted, static_cast<unsigned long>(acknowledged));
    return acknowledged == kWarm + kCounted ? 0 : 1;
  }
};

}  // namespace
}  // namespace monitor

int main(int argc, char** argv) {
  const std::string_view what = argc == 3 ? argv[1] : "";
  if (what == "agent") return monitor::measure_agent(argv[2]);
  if (what == "server") return monitor::ServerWorld().measure();
  std::fputs("usage: count_instructions agent|server FOLDER\n", stderr);
  return 64;
}
