#include "agent/snapshot_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <unordered_map>

#include "agent/drops.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "metrics/batch.h"
#include "metrics/human.h"
#include "metrics/json_form.h"
#include "metrics/resource.h"
#include "plugins/chain/chain.h"
#include "plugins/chain/plugin_report.h"

namespace monitor::agent {

namespace {

std::string listing(const metrics::Batch& batch) {
  std::string out;
  for (const metrics::Frame& frame : batch.frames) {
    size_t width = 0;
    for (const metrics::Point& point : frame.points) {
      width = std::max(width, metrics::to_string(batch.series[point.series]).size());
    }
    for (const metrics::Point& point : frame.points) {
      const metrics::Series& series = batch.series[point.series];
      out += fmt::format("{:<{}}  {}\n", metrics::to_string(series), width,
                         metrics::human_value(series, batch.value(point)));
    }
  }
  return out;
}

// Ignores the size limit of a batch, because the result is printed instead of sent.
void add(metrics::Batch& batch, const metrics::SeriesTable& table, const metrics::Tick& tick) {
  std::unordered_map<metrics::SeriesId, metrics::SeriesId> places;
  metrics::Frame frame{tick.time_ns, tick.rates_since_ns, {}};
  size_t unfit = 0;
  for (metrics::Point point : tick.points) {
    if (const std::string_view fault = table.fault(point.series); !fault.empty()) {
      if (unfit++ == 0) {
        log_warning(
            "invalid series are omitted; check labels and plugins",
            {{"series", json_quote(metrics::to_string(table.at(point.series)).substr(0, 200))}, {"reason", fault}});
      }
      continue;
    }
    const auto [place, is_new] = places.try_emplace(point.series, static_cast<metrics::SeriesId>(batch.series.size()));
    if (is_new) batch.series.push_back(table.at(point.series));
    point.series = place->second;
    frame.points.push_back(point);
  }
  if (!frame.points.empty()) batch.frames.push_back(std::move(frame));
}

Error nothing_read(const TickSource& source) {
  for (const auto& [name, state] : source.states()) {
    if (!state.error.empty()) return Error(Code::kUnavailable, fmt::format("{}: {}", name, state.error));
  }
  return Error(Code::kAborted, "no metric has a value between the two readings, as right after a resume; try again");
}

metrics::Envelope new_envelope(const SnapshotOptions& options, const config::Settings& settings) {
  SystemRandom random;
  metrics::Envelope envelope;
  envelope.agent_id = options.agent_id;
  envelope.hostname = options.hostname;
  envelope.incarnation.resize(metrics::kIncarnationBytes);
  random.fill(envelope.incarnation.data(), envelope.incarnation.size());
  envelope.sequence = 1;
  envelope.agent_version = options.version;
  envelope.resource = settings.labels;
  return envelope;
}

// Reads twice: rates need two readings.
metrics::Tick read_tick(const config::Settings& settings, const Clock& clock, const metrics::SeriesTable& table,
                        TickSource& source) {
  constexpr uint64_t kSchedule = 1;  // reads all metrics together, whatever their intervals
  source.configure(kSchedule, settings.metrics);
  const Timestamp first{clock.wall_ns(), clock.mono_ns()};
  source.baseline(first);
  // Blocking is fine, because the program has nothing else to do until the second reading.
  std::this_thread::sleep_for(std::chrono::nanoseconds(std::min(settings.interval_ns, kNanosPerSecond)));
  metrics::Tick tick;
  tick.time_ns = clock.wall_ns();
  tick.due_mono_ns = clock.mono_ns();
  tick.rates_since_ns = first.wall_ns;
  const uint64_t over = source.collect(kSchedule, {tick.time_ns, tick.due_mono_ns}, tick);
  if (over > 0) {
    log_error("values are omitted: the table of series is full; choose fewer metrics or details",
              {{"values", over}, {"limit", table.limit()}});
  }
  return tick;
}

std::string text_of(const metrics::Batch& batch, bool json) {
  if (!json) return listing(batch);
  std::string lines;
  for (size_t i = 0; i < batch.frames.size(); ++i) lines += metrics::tick_to_json(batch, i, false) + "\n";
  return lines;
}

}  // namespace

Result<std::string> take_snapshot(const SnapshotOptions& options, const config::Settings& settings, EventLoop& loop,
                                  metrics::SeriesTable& table, TickSource& source, HostedPlugins* hosted) {
  metrics::Batch batch{new_envelope(options, settings), {}, {}};
  Drops drops(batch.incarnation);
  Chain chain(table, loop.clock(), drops, [&](metrics::Tick& tick) { add(batch, table, tick); }, hosted);
  std::string text;
  if (options.trace) {
    chain.set_trace([&](const config::PluginStatus& plugin, const metrics::Tick& before, const metrics::Tick* after,
                        std::string_view failure) { text += trace_text(table, plugin, before, after, failure); });
  }
  auto problem = chain.configure(settings.plugins);
  for (; problem && problem->pending; problem = chain.configure(settings.plugins)) loop.run_once(-1);
  if (problem) return Error(Code::kFailedPrecondition, problem->to_string());
  metrics::Tick tick = read_tick(settings, loop.clock(), table, source);
  if (settings.metrics.empty()) {
    log_warning("the configuration selects no metrics; nothing is printed", {{"agent", options.agent_id}});
    return std::string();
  }
  if (tick.points.empty()) return nothing_read(source);
  chain.push(std::move(tick));
  chain.pump();
  while (!chain.idle()) loop.run_once(-1);
  metrics::carry_resource(batch);
  return text + text_of(batch, options.json);
}

}  // namespace monitor::agent
