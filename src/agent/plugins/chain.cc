#include "agent/plugins/chain.h"

#include <fmt/format.h>

#include <algorithm>

#include "agent/plugins/registry.h"
#include "base/log.h"

namespace monitor::agent {

Chain::Chain(metrics::SeriesTable& table, const Clock& clock, DropSink& drops, Output output)
    : table_(table), clock_(clock), drops_(drops), output_(std::move(output)) {}

Chain::~Chain() {
  for (const auto& stage : stages_) finalize(*stage);
}

std::optional<config::Problem> Chain::configure(const std::vector<config::PluginEntry>& entries) {
  std::vector<std::shared_ptr<Stage>> next;
  std::vector<std::shared_ptr<Stage>> old = stages_;
  std::vector<std::shared_ptr<Stage>> started;
  for (size_t i = 0; i < entries.size(); ++i) {
    const auto same = std::find_if(old.begin(), old.end(), [&](const auto& s) { return s && s->entry == entries[i]; });
    if (same != old.end()) {
      next.push_back(*same);
      same->reset();
      continue;
    }
    auto stage = std::make_shared<Stage>();
    stage->entry = entries[i];
    stage->state.name = entries[i].name;
    if (auto problem = start_plugin(entries[i].name, entries[i].config, table_, stage->plugin)) {
      for (const auto& one : started) finalize(*one);
      problem->path = fmt::format("/plugins/{}/config{}", i, problem->path);
      return problem;
    }
    started.push_back(stage);
    next.push_back(stage);
  }
  for (const auto& stage : old) {
    if (!stage) continue;
    finalize(*stage);
    log_info("plugin removed", {{"plugin", stage->entry.name}});
  }
  for (const auto& stage : started)
    log_info("plugin loaded", {{"plugin", stage->entry.name}, {"config", stage->entry.config}});
  stages_ = std::move(next);
  return std::nullopt;
}

void Chain::push(metrics::Tick tick) {
  if (queue_.size() >= kQueueTicks) {
    drops_.dropped({metrics::stage::kQueue, metrics::reason::kOverflow, "", 0, 1, tick.points.size(), tick.time_ns});
    return;
  }
  queue_.push_back(std::move(tick));
}

void Chain::pump() {
  while (!queue_.empty()) {
    metrics::Tick tick = std::move(queue_.front());
    queue_.pop_front();
    if (run(tick)) output_(tick);
  }
}

bool Chain::run(metrics::Tick& tick) {
  return std::all_of(stages_.begin(), stages_.end(), [&](const auto& stage) { return run_stage(*stage, tick); });
}

bool Chain::run_stage(Stage& stage, metrics::Tick& tick) {
  const size_t before = tick.points.size();
  const int64_t start = clock_.mono_ns();
  ++stage.state.ticks_in;
  bool forward = false;
  std::string_view reason = stage.plugin->drop_reason();
  try {
    forward = stage.plugin->run(tick);
  } catch (const std::exception& e) {
    ++stage.state.failures;
    reason = metrics::reason::kFailed;
    log_error("plugin failed; its tick is lost", {{"plugin", stage.entry.name}, {"reason", e.what()}});
  } catch (...) {
    ++stage.state.failures;
    reason = metrics::reason::kFailed;
    log_error("plugin failed; its tick is lost",
              {{"plugin", stage.entry.name}, {"reason", "an exception of no known type"}});
  }
  stage.state.last_duration_ns = clock_.mono_ns() - start;
  const size_t lost = !forward ? before : before - std::min(before, tick.points.size());
  if (!forward) ++stage.state.ticks_dropped;
  stage.state.points_dropped += lost;
  if (!forward || lost > 0) {
    drops_.dropped({metrics::stage::kPlugin, reason, stage.entry.name, 0, forward ? 0U : 1U, lost, tick.time_ns});
  }
  return forward;
}

void Chain::finalize(Stage& stage) {
  try {
    stage.plugin->finalize();
  } catch (const std::exception& e) {
    log_warning("plugin failed to finalize", {{"plugin", stage.entry.name}, {"reason", e.what()}});
  } catch (...) {
    log_warning("plugin failed to finalize",
                {{"plugin", stage.entry.name}, {"reason", "it threw what is no exception"}});
  }
}

std::vector<PluginState> Chain::states() const {
  std::vector<PluginState> states;
  states.reserve(stages_.size());
  for (const auto& stage : stages_) states.push_back(stage->state);
  return states;
}

}  // namespace monitor::agent
