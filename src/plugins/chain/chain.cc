#include "plugins/chain/chain.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/log.h"

namespace monitor::agent {

namespace {

bool same(const std::vector<metrics::Point>& a, const std::vector<metrics::Point>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(metrics::Point)) == 0);
}

}  // namespace

Chain::Chain(metrics::SeriesTable& table, const Clock& clock, DropSink& drops, Output output, HostedPlugins* hosted)
    : clock_(clock), drops_(drops), output_(std::move(output)), stages_(table, hosted, [this] {
        if (on_change_) on_change_();
      }) {}

std::optional<config::Problem> Chain::configure(const std::vector<config::PluginEntry>& entries) {
  auto problem = stages_.configure(entries);
  if (!problem && !has_current_) apply();
  return problem;
}

void Chain::apply() {
  if (stages_.apply() && on_change_) on_change_();
}

void Chain::push(metrics::Tick tick) {
  if (queue_.size() >= kQueueTicks) {
    drops_.dropped(metrics::unbatched_drop(metrics::stage::kQueue, metrics::reason::kOverflow, "", 1,
                                           tick.points.size(), tick.time_ns));
    return;
  }
  points_inside_ += tick.points.size();
  queue_.push_back(std::move(tick));
}

void Chain::pump() {
  if (pumping_) return;
  pumping_ = true;
  while (!waiting_) {
    if (!has_current_) {
      apply();
      if (queue_.empty()) break;
      current_.tick = std::move(queue_.front());
      queue_.pop_front();
      has_current_ = true;
      current_.points = current_.tick.points.size();
      current_.at = 0;
    }
    step();
  }
  pumping_ = false;
}

void Chain::step() {
  if (current_.at >= stages_.applied().size()) return end_tick(true);
  const std::shared_ptr<Stage> stage = stages_.applied()[current_.at];
  ++stage->state.ticks;
  current_.points_before = current_.tick.points.size();
  // A hosted plugin reports by itself whether it changed something.
  if (stage->hosted == nullptr || stage->entry.shadow || trace_) {
    current_.before.time_ns = current_.tick.time_ns;
    current_.before.points = current_.tick.points;
  }
  current_.started_ns = clock_.mono_ns();
  if (stage->hosted != nullptr) {
    run_hosted(stage);
  } else {
    run_builtin(*stage);
  }
}

void Chain::run_builtin(Stage& stage) {
  StageResult result;
  std::string failure;
  try {
    result.forward = stage.plugin->run(current_.tick);
    result.taken_out = stage.plugin->points_taken_out();
  } catch (const std::exception& e) {
    failure = e.what();
    if (failure.empty()) failure = "an exception without a message";
  } catch (...) {
    failure = "an exception of an unknown type";
  }
  if (!failure.empty()) {
    log_error("built-in plugin failed; its tick is lost", {{"plugin", stage.entry.name}, {"reason", failure}});
  }
  result.reason = stage.plugin->drop_reason();
  result.failure = failure;
  result.changed = !same(current_.before.points, current_.tick.points);
  finish_stage(stage, result);
}

void Chain::run_hosted(const std::shared_ptr<Stage>& stage) {
  waiting_ = true;
  stage->hosted->run(current_.tick,
                     [this, stage](const HostedPlugin::Outcome& outcome) { on_outcome(stage, outcome); });
}

void Chain::on_outcome(const std::shared_ptr<Stage>& stage, const HostedPlugin::Outcome& outcome) {
  waiting_ = false;
  if (outcome.kind == HostedPlugin::Outcome::Kind::kAbsent) {
    pass_absent(*stage, outcome);
  } else {
    take_outcome(*stage, outcome);
  }
  if (pumping_) return;
  pump();
  if (on_progress_) on_progress_();
}

void Chain::take_outcome(Stage& stage, const HostedPlugin::Outcome& outcome) {
  using Kind = HostedPlugin::Outcome::Kind;
  StageResult result;
  result.reason = metrics::reason::kFiltered;
  result.over = outcome.over;
  result.taken_out = outcome.dropped;
  result.changed = outcome.kind == Kind::kChanged;
  if (outcome.kind == Kind::kChanged) {
    current_.tick.points.swap(*outcome.points);
    result.forward = !current_.tick.points.empty();
    if (!result.forward && outcome.over > 0) result.reason = metrics::reason::kCardinality;
  } else if (outcome.kind != Kind::kUnchanged) {
    result.forward = false;
    if (outcome.kind == Kind::kFailed) result.failure = outcome.reason;
  }
  if (outcome.kind == Kind::kUnchanged) result.reason = "";
  if (outcome.kind == Kind::kFailed) result.reason = metrics::reason::kFailed;
  finish_stage(stage, result);
}

// The plugin is not running: the tick skips it, or ends here.
void Chain::pass_absent(Stage& stage, const HostedPlugin::Outcome& outcome) {
  ++stage.state.skipped;
  if (trace_) trace_absent(stage, outcome.reason);
  if (!stage.entry.drop_on_failure || stage.entry.shadow) {
    ++current_.at;
    return;
  }
  StageResult result;
  result.forward = result.ran = false;
  result.reason = metrics::reason::kFailed;
  result.failure = outcome.reason.empty() ? std::string_view("it is not running") : std::string_view(outcome.reason);
  result.over = outcome.over;
  result.taken_out = outcome.dropped;
  finish_stage(stage, result);
}

void Chain::finish_stage(Stage& stage, StageResult result) {
  const int64_t took = clock_.mono_ns() - current_.started_ns;
  stage.state.last_duration_ns = took;
  stage.durations.record(took);
  if (!result.failure.empty()) {
    ++stage.state.failed;
    stage.state.error = result.failure;
    stage.state.error_ns = clock_.wall_ns();
    result.reason = metrics::reason::kFailed;
    result.forward = false;
  }
  if (trace_ && result.ran)
    trace_(stage.state, current_.before, result.forward ? &current_.tick : nullptr, result.failure);
  // `after` counts the points that the plugin returned, including `over`, those for which the table had no room.
  const uint64_t before = current_.points_before;
  const uint64_t over = result.forward ? result.over : 0;
  const uint64_t after = current_.tick.points.size() + over;
  const uint64_t lost = !result.forward ? before : std::max(result.taken_out, before - std::min(before, after));
  if (result.forward && result.changed) ++stage.state.changed;
  if (!result.forward) ++stage.state.dropped;
  stage.state.points_dropped += lost + over;
  if (stage.entry.shadow) {
    // A shadow has no effect.
    current_.tick.points.swap(current_.before.points);
    ++current_.at;
    return;
  }
  account(stage, result, lost, over);
  if (!result.forward) return end_tick(false);
  ++current_.at;
}

// Counts the points that the stage added and lost, so that every point is either in a batch or counted as dropped.
void Chain::account(Stage& stage, const StageResult& result, uint64_t lost, uint64_t over) {
  const uint64_t added = result.forward ? current_.tick.points.size() + over + lost - current_.points_before : 0;
  points_added_ += added;
  points_inside_ += added;
  current_.points += added;
  const auto count_lost = [&](std::string_view why, uint64_t points) {
    if (points == 0 && result.forward) return;
    drops_.dropped(metrics::unbatched_drop(metrics::stage::kPlugin, why, stage.entry.name, result.forward ? 0U : 1U,
                                           points, current_.tick.time_ns));
    points_inside_ -= points;
    current_.points -= points;
  };
  count_lost(result.reason, lost);
  if (result.forward) count_lost(metrics::reason::kCardinality, over);
}

void Chain::trace_absent(const Stage& stage, const std::string& reason) {
  config::PluginStatus state = stage.state;
  state.state = to_string(stage.hosted->phase());
  const bool drops = stage.entry.drop_on_failure && !stage.entry.shadow;
  trace_(state, current_.before, drops ? nullptr : &current_.tick, reason.empty() ? "it is not ready" : reason);
}

void Chain::end_tick(bool forward) {
  for (size_t i = current_.at + 1; trace_ && !forward && i < stages_.applied().size(); ++i) {
    config::PluginStatus state = stages_.applied()[i]->state;
    state.state = kNotReached;
    trace_(state, current_.before, nullptr, "the tick ended before");
  }
  has_current_ = false;
  points_inside_ -= std::exchange(current_.points, 0);
  if (forward) output_(current_.tick);
}

void Chain::give_up() {
  const auto drop = [this](const metrics::Tick& tick, std::string_view plugin, size_t points) {
    drops_.dropped(
        metrics::unbatched_drop(metrics::stage::kPlugin, metrics::reason::kFailed, plugin, 1, points, tick.time_ns));
  };
  const std::string plugin =
      has_current_ && current_.at < stages_.applied().size() ? stages_.applied()[current_.at]->entry.name : "";
  if (has_current_) drop(current_.tick, plugin, current_.points);
  for (const metrics::Tick& tick : queue_) drop(tick, plugin, tick.points.size());
  queue_.clear();
  has_current_ = waiting_ = false;
  points_inside_ = current_.points = 0;
  // A late answer must not find a stage.
  stages_.clear();
  if (on_change_) on_change_();
}

std::vector<config::PluginStatus> Chain::states() const {
  std::vector<config::PluginStatus> states;
  states.reserve(stages_.applied().size());
  for (const auto& stage : stages_.applied()) states.push_back(stage->status());
  return states;
}

}  // namespace monitor::agent
