// Sends a batch through the plugin chain: with no plugin, with the built-in `filter`, and with the same filter as a
// native plugin, a script or a plugin in Python in its host.
//
//   bench-plugin kind=nothing|builtin|native|script|python folder=PLUGINS host=PROGRAM points=N count=N
//
// Prints us=MEDIAN per batch, and the bytes sent to the host and back.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "floor/arguments.h"
#include "plugins/chain/chain.h"
#include "plugins/hosted/plugin_hosts.h"

namespace monitor::bench {
namespace {

class NullDropSink final : public agent::DropSink {
 public:
  void dropped(metrics::Drop) override {}
};

// Drops one of four series.
metrics::Tick make_tick(metrics::SeriesTable& table, size_t points) {
  metrics::Tick tick;
  for (size_t i = 0; i < points; ++i) {
    metrics::Series series;
    series.name = i % 4 == 0 ? "bench.gone" : "bench.kept";
    series.labels = {{"number", std::to_string(i)}};
    series.unit = "1";
    metrics::Point point;
    point.series = *table.intern(std::move(series));
    point.real = static_cast<double>(i);
    tick.points.push_back(point);
  }
  return tick;
}

int run(const Arguments& arguments) {
  const std::string kind = arguments.text("kind");
  const auto points = static_cast<size_t>(arguments.number("points"));
  const int64_t count = arguments.number("count");
  const SystemClock clock;
  EventLoop loop(clock);
  metrics::SeriesTable table;
  NullDropSink drop_sink;
  size_t out = 0;
  agent::PluginHosts hosts(loop, table, arguments.text("folder"), arguments.text("host"));
  hosts.watch({});
  agent::Chain chain(table, clock, drop_sink, [&](metrics::Tick& tick) { out = tick.points.size(); }, &hosts);
  std::vector<config::PluginEntry> entries;
  if (kind != "nothing") {
    config::PluginEntry entry;
    entry.name = kind == "builtin"  ? "filter"
                 : kind == "python" ? "agent.plugins.python_filter.PythonFilter"
                                    : kind + "_filter";
    entry.config = R"({"drop":"bench.gone"})";
    if (kind != "builtin") {
      const auto code = hosts.code_of(entry.name);
      if (!code) return std::fprintf(stderr, "%s\n", code.error().message().c_str()), 1;
      entry.kind = code->kind;
      entry.code = code->code;
      entry.version = code->version;
    }
    entries.push_back(std::move(entry));
  }
  auto problem = chain.configure(entries);
  for (; problem && problem->pending; problem = chain.configure(entries)) loop.run_once(-1);
  if (problem) return std::fprintf(stderr, "%s\n", problem->to_string().c_str()), 1;
  const metrics::Tick tick = make_tick(table, points);
  std::vector<int64_t> times;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t start = clock.mono_ns();
    chain.push(tick);
    chain.pump();
    while (!chain.idle()) loop.run_once(-1);
    times.push_back(clock.mono_ns() - start);
  }
  const size_t expected = kind == "nothing" ? points : points - (points + 3) / 4;
  if (out != expected) return std::fprintf(stderr, "got %zu points, expected %zu\n", out, expected), 1;
  std::nth_element(times.begin(), times.begin() + static_cast<int64_t>(times.size() / 2), times.end());
  const size_t head = sizeof(plugin_wire::Header);
  std::printf("us=%.3f\nthere=%zu\nback=%zu\n", static_cast<double>(times[times.size() / 2]) / 1e3,
              head + 32 + points * sizeof(metrics::Point), head + 8 + out * sizeof(metrics::Point));
  return 0;
}

}  // namespace
}  // namespace monitor::bench

int main(int argc, char** argv) { return monitor::bench::run(monitor::bench::Arguments(argc, argv)); }
