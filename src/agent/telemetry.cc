#include "agent/telemetry.h"

#include <fmt/format.h>

#include <map>

#include "base/text.h"

namespace monitor::agent {

namespace {

using telemetry::MetricLabels;
using telemetry::Registry;

void count(Registry& registry, const std::string& name, const std::string& help, uint64_t value,
           const MetricLabels& labels = {}) {
  registry.counter("monitor_agent_" + name, help, labels).add(value);
}

void gauge(Registry& registry, const std::string& name, const std::string& help, double value,
           const MetricLabels& labels = {}) {
  registry.gauge("monitor_agent_" + name, help, labels).set(value);
}

void add_agent(Registry& r, const Agent& agent) {
  const AgentStats& stats = agent.stats();
  count(r, "ticks_due_total", "Ticks that were due", stats.ticks_due);
  count(r, "ticks_missed_total", "Ticks that did not start before the next one was due", stats.ticks_missed);
  count(r, "points_made_total", "Points that the collectors produced", stats.points_made);
  count(r, "batches_total", "Closed batches, including heartbeats", stats.batches);
  count(r, "heartbeats_total", "Empty batches, sent when there is nothing else to send", stats.heartbeats);
  gauge(r, "tick_duration_seconds", "Duration of the last tick",
        static_cast<double>(stats.last_tick_duration_ns) / 1e9);
  gauge(r, "series", "Series in use", static_cast<double>(agent.series().size()));
  gauge(r, "series_limit", "Maximum number of series", static_cast<double>(agent.series().limit()));
  gauge(r, "series_full", "1 while points are dropped because the table of series is full",
        agent.series_full() ? 1 : 0);
  count(r, "series_released_total", "Series that disappeared and were removed from the table",
        agent.series().released());
  count(r, "series_cut_total", "Series with a label value that was truncated or corrected to valid UTF-8",
        agent.series().series_cut());
  gauge(r, "queue_ticks", "Ticks waiting for the plugins", static_cast<double>(agent.queued()));
  gauge(r, "config_last_reload_timestamp_seconds", "Time at which the current configuration was applied (Unix time)",
        static_cast<double>(stats.configured_ns) / 1e9);
}

void add_drops(Registry& r, const Drops& drops) {
  for (const metrics::Drop& total : drops.totals()) {
    MetricLabels labels = {{"stage", total.stage}, {"reason", total.reason}};
    if (!total.plugin.empty()) labels.emplace_back("plugin", total.plugin);
    count(r, "dropped_points_total", "Points lost, by stage and reason", total.points, labels);
    count(r, "dropped_ticks_total", "Ticks lost, by stage and reason", total.ticks, labels);
    count(r, "dropped_batches_total", "Batches lost, by stage and reason", total.batches, labels);
  }
}

void add_plugin(Registry& r, const config::PluginStatus& plugin, const std::string& name) {
  const MetricLabels labels = {{"plugin", name}};
  count(r, "plugin_ticks_total", "Ticks that a plugin was given", plugin.ticks, labels);
  count(r, "plugin_changed_ticks_total", "Ticks that a plugin changed", plugin.changed, labels);
  count(r, "plugin_dropped_ticks_total", "Ticks that a plugin dropped", plugin.dropped, labels);
  count(r, "plugin_skipped_ticks_total", "Ticks that skipped a plugin because it was not running", plugin.skipped,
        labels);
  count(r, "plugin_failures_total", "Ticks in which a plugin failed", plugin.failed, labels);
  count(r, "plugin_restarts_total", "Restarts of a plugin's host", plugin.restarts, labels);
  count(r, "plugin_replaced_total", "Replacements of a plugin by another version or configuration", plugin.replaced,
        labels);
  for (const std::string_view state : {"running", "starting", "waiting", "quarantined"}) {
    gauge(r, "plugin_state", "1 for the state that a plugin is in", plugin.state == state ? 1 : 0,
          {{"plugin", name}, {"state", std::string(state)}});
  }
  for (const auto& [quantile, seconds] : {std::pair{"0.5", plugin.p50}, std::pair{"0.99", plugin.p99}}) {
    gauge(r, "plugin_tick_seconds", "Recent time that a plugin took for a tick, including waiting", seconds,
          {{"plugin", name}, {"quantile", quantile}});
  }
  gauge(r, "plugin_duration_seconds", "Time that a plugin took for its last tick",
        static_cast<double>(plugin.last_duration_ns) / 1e9, labels);
  if (plugin.kind != config::kind_name(config::PluginKind::kNative) &&
      plugin.kind != config::kind_name(config::PluginKind::kPython)) {
    return;
  }
  gauge(r, "plugin_threads", "Threads that a native plugin has started", static_cast<double>(plugin.threads), labels);
  gauge(r, "plugin_cpu_processors", "Processors that a native plugin uses, averaged over at most 10 s", plugin.cpu,
        labels);
  gauge(r, "plugin_memory_bytes", "Resident memory of a native plugin's process", static_cast<double>(plugin.memory),
        labels);
}

// A chain can contain a plugin twice: its label is then "scale#2".
void add_plugins(Registry& r, const std::vector<config::PluginStatus>& plugins) {
  std::map<std::string, int> named;
  for (const config::PluginStatus& plugin : plugins) {
    const int times = ++named[plugin.name];
    add_plugin(r, plugin, times == 1 ? plugin.name : fmt::format("{}#{}", plugin.name, times));
  }
}

void add_source(Registry& r, const TickSource& source) {
  for (const auto& [name, state] : source.states()) {
    const MetricLabels labels = {{"collector", name}};
    count(r, "collector_reads_total", "Reads of a collector", state.reads, labels);
    count(r, "collector_failures_total", "Reads of a collector that failed", state.failures, labels);
    gauge(r, "collector_success", "1 if the last read succeeded", state.error.empty() ? 1 : 0, labels);
    gauge(r, "collector_duration_seconds", "Duration of the last read",
          static_cast<double>(state.last_duration_ns) / 1e9, labels);
  }
  const std::vector<StuckMount> stuck = source.stuck_mounts();
  gauge(r, "mounts_stuck", "Mounts that do not answer", static_cast<double>(stuck.size()));
  for (const StuckMount& mount : stuck) {
    gauge(r, "mount_stuck_since_timestamp_seconds", "Time of the query that a mount has not answered (Unix time)",
          static_cast<double>(mount.since_ns) / 1e9,
          {{"mount", sanitize_utf8(mount.mount_point)},
           {"type", sanitize_utf8(mount.type)},
           {"source", sanitize_utf8(mount.source)}});
  }
}

void add_spool(Registry& r, const Spool& spool) {
  const auto number = [](uint64_t value) { return static_cast<double>(value); };
  const SpoolStats stats = spool.stats();
  gauge(r, "spool_batches", "Batches waiting for an acknowledgement", number(spool.batches()));
  gauge(r, "spool_bytes", "Size of the spool", number(spool.bytes()));
  gauge(r, "spool_oldest_timestamp_seconds", "Time of the oldest waiting batch, 0 if there is none",
        static_cast<double>(spool.oldest_time_ns()) / 1e9);
  gauge(r, "spool_on_disk", "1 while new batches are stored on disk", stats.on_disk ? 1 : 0);
  gauge(r, "spool_memory_batches", "Batches in memory only", number(stats.memory_batches));
  gauge(r, "spool_segments", "Segment files of the spool", number(stats.segments));
  gauge(r, "spool_foreign_files", "Files in the spool's folder that are not its own or have a newer version",
        number(stats.foreign_files));
  count(r, "spool_damaged_batches_total", "Batches lost to damage", stats.damaged_batches);
  count(r, "spool_damaged_bytes_total", "Bytes that failed their checksum", stats.damaged_bytes);
  count(r, "spool_disk_errors_total", "Failed disk calls", stats.disk_errors);
  count(r, "spool_writes_total", "Writes of files", stats.writes);
  count(r, "spool_syncs_total", "Syncs of files", stats.syncs);
}

void add_output(Registry& r, const Output& output) {
  gauge(r, "in_flight_batches", "Batches sent and not yet acknowledged", static_cast<double>(output.state().in_flight));
  for (const OutputMetric& one : output.metrics()) {
    if (one.kind == OutputMetric::Kind::kCounter) {
      count(r, one.name, one.help, one.value);
    } else {
      gauge(r, one.name, one.help, static_cast<double>(one.value));
    }
  }
}

}  // namespace

std::string AgentTelemetry::metrics_text() const {
  Registry r;
  add_agent(r, parts_.agent);
  add_drops(r, parts_.agent.reports().drops());
  add_plugins(r, parts_.agent.plugins());
  add_source(r, parts_.source);
  add_spool(r, parts_.spool);
  add_output(r, parts_.output);
  const auto& config = parts_.engine.state();
  gauge(r, "config_revision", "Revision of the newest applied document", static_cast<double>(config.revision));
  gauge(r, "config_success", "1 if the newest configuration is applied", config.error.empty() ? 1 : 0);
  count(r, "config_reloads_total", "Configurations applied", config.reloads);
  count(r, "config_failures_total", "Configurations rejected", config.failures);
  return r.text();
}

telemetry::HttpHandler AgentTelemetry::pages() const {
  return [this](std::string_view path) -> telemetry::HttpReply {
    if (path == "/metrics") return {200, "text/plain; version=0.0.4; charset=utf-8", metrics_text()};
    if (path == "/healthz") return {200, "text/plain; charset=utf-8", "ok\n"};
    if (path != "/readyz")
      return {404, "text/plain; charset=utf-8", "not found; there are /metrics, /healthz, /readyz\n"};
    if (!parts_.engine.running()) return {503, "text/plain; charset=utf-8", "no configuration is applied\n"};
    if (const OutputState output = parts_.output.state(); !output.ready) {
      return {503, "text/plain; charset=utf-8", output.problem + "\n"};
    }
    return {200, "text/plain; charset=utf-8", "ready\n"};
  };
}

}  // namespace monitor::agent
