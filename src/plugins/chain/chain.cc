#include "plugins/chain/chain.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/log.h"
#include "plugins/builtin/registry.h"

namespace monitor::agent {

namespace {

bool same(const std::vector<metrics::Point>& a, const std::vector<metrics::Point>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(metrics::Point)) == 0);
}

double seconds(int64_t ns) { return static_cast<double>(ns) / 1e9; }

bool contains(const auto& stages, const auto& one) {
  return std::find(stages.begin(), stages.end(), one) != stages.end();
}

}  // namespace

Chain::Chain(metrics::SeriesTable& table, const Clock& clock, DropSink& drops, Output output, HostedPlugins* hosted)
    : table_(table), clock_(clock), drops_(drops), output_(std::move(output)), hosted_(hosted) {}

Chain::~Chain() {
  for (const auto& stage : *configured_) finalize(*stage);
  if (configured_ == stages_) return;
  for (const auto& stage : *stages_) {
    if (!contains(*configured_, stage)) finalize(*stage);
  }
}

// --- Configuration

std::optional<config::Problem> Chain::configure(const std::vector<config::PluginEntry>& entries) {
  auto next = std::make_shared<Stages>();
  Stages started;
  auto problem = start_stages(entries, *next, started);
  if (!problem) problem = start_hosted(entries, *next);
  if (problem) {
    for (const auto& one : started) finalize(*one);
    return problem;
  }
  // Plugins of a configuration that was never applied.
  for (const auto& stage : *configured_) {
    if (!contains(*next, stage) && !contains(*stages_, stage)) finalize(*stage);
  }
  configured_ = std::move(next);
  if (!has_current_) swap();
  return std::nullopt;
}

// Reuses unchanged plugins and starts new built-in ones; the places of new hosted plugins stay empty.
std::optional<config::Problem> Chain::start_stages(const std::vector<config::PluginEntry>& entries, Stages& next,
                                                   Stages& started) {
  Stages old = *configured_;
  for (size_t i = 0; i < entries.size(); ++i) {
    const auto known = std::find_if(old.begin(), old.end(), [&](const auto& s) { return s && s->entry == entries[i]; });
    if (known != old.end()) {
      next.push_back(std::exchange(*known, nullptr));
      continue;
    }
    if (entries[i].kind != config::PluginKind::kBuiltin) {
      next.push_back(nullptr);
      continue;
    }
    auto stage = std::make_shared<Stage>();
    stage->entry = entries[i];
    if (auto problem = start_plugin(entries[i].name, entries[i].config, table_, stage->plugin)) {
      problem->path = fmt::format("/plugins/{}/config{}", i, problem->path);
      return problem;
    }
    started.push_back(stage);
    next.push_back(stage);
  }
  return std::nullopt;
}

std::optional<config::Problem> Chain::start_hosted(const std::vector<config::PluginEntry>& entries, Stages& next) {
  std::vector<config::PluginEntry> wanted;
  std::vector<size_t> places;
  for (size_t i = 0; i < next.size(); ++i) {
    if (next[i] != nullptr) continue;
    wanted.push_back(entries[i]);
    places.push_back(i);
  }
  if (hosted_ == nullptr && wanted.empty()) return std::nullopt;
  config::Problem problem;
  if (hosted_ == nullptr) {
    problem.path = fmt::format("/plugins/{}", places.front());
    problem.message = fmt::format("plugin {} needs a plugin host, and this program has none", wanted.front().name);
    return problem;
  }
  auto made = hosted_->make(wanted);
  if (!made.refusal.empty()) {
    problem.path = fmt::format("/plugins/{}", places[made.refused]);
    problem.message = fmt::format("plugin {}: {}", wanted[made.refused].name, made.refusal);
    return problem;
  }
  if (made.pending) {
    problem.pending = true;
    problem.message = "plugins are being started";
    return problem;
  }
  for (size_t i = 0; i < wanted.size(); ++i) {
    auto stage = std::make_shared<Stage>();
    stage->entry = wanted[i];
    stage->hosted = std::move(made.plugins[i]);
    stage->hosted->set_on_change([this] {
      if (on_change_) on_change_();
    });
    next[places[i]] = std::move(stage);
  }
  return std::nullopt;
}

// Applies the configured plugins. Called while no tick is in the chain.
void Chain::swap() {
  if (configured_ == stages_) return;
  const std::shared_ptr<Stages> old = std::exchange(stages_, configured_);
  Stages leaving;
  std::copy_if(old->begin(), old->end(), std::back_inserter(leaving),
               [&](const auto& stage) { return !contains(*stages_, stage); });
  for (const auto& stage : *stages_) {
    if (contains(*old, stage)) continue;
    const auto before = std::find_if(leaving.begin(), leaving.end(),
                                     [&](const auto& one) { return one->entry.name == stage->entry.name; });
    stage->state.name = stage->entry.name;
    stage->state.kind = config::kind_name(stage->entry.kind);
    stage->state.shadow = stage->entry.shadow;
    stage->state.state = kRunning;
    if (before != leaving.end()) {
      replace(**before, *stage);
      leaving.erase(before);
      log_info("plugin replaced", {{"plugin", stage->entry.name}, {"config", stage->entry.config}});
    } else {
      log_info("plugin loaded", {{"plugin", stage->entry.name}, {"config", stage->entry.config}});
    }
  }
  for (const auto& stage : leaving) {
    finalize(*stage);
    log_info("plugin removed", {{"plugin", stage->entry.name}});
  }
  if (on_change_) on_change_();
}

void Chain::replace(Stage& old, Stage& next) {
  next.state = old.state;
  next.state.kind = config::kind_name(next.entry.kind);
  next.state.shadow = next.entry.shadow;
  next.state.error.clear();
  ++next.state.replaced;
  next.durations = old.durations;
  if (old.hosted != nullptr && next.hosted != nullptr) {
    next.state.restarts += old.hosted->restarts();
    next.hosted->take_over(old.hosted);
  }
  if (old.plugin != nullptr && next.plugin != nullptr) {
    try {
      next.plugin->restore(old.plugin->save());
    } catch (const std::exception& e) {
      log_warning("plugin starts without its predecessor's state", {{"plugin", next.entry.name}, {"reason", e.what()}});
    }
  }
  finalize(old);
}

void Chain::finalize(Stage& stage) {
  if (stage.hosted != nullptr) {
    stage.hosted->set_on_change(nullptr);
    stage.hosted.reset();
  }
  if (stage.plugin == nullptr) return;
  try {
    stage.plugin->finalize();
  } catch (const std::exception& e) {
    log_warning("plugin failed to finalize", {{"plugin", stage.entry.name}, {"reason", e.what()}});
  } catch (...) {
    log_warning("plugin failed to finalize",
                {{"plugin", stage.entry.name}, {"reason", "it threw something that is not an exception"}});
  }
}

// --- Ticks

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
      swap();
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
  if (current_.at >= stages_->size()) return end_tick(true);
  const std::shared_ptr<Stage> stage = (*stages_)[current_.at];
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
  for (size_t i = current_.at + 1; trace_ && !forward && i < stages_->size(); ++i) {
    config::PluginStatus state = (*stages_)[i]->state;
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
  const std::string plugin = has_current_ && current_.at < stages_->size() ? (*stages_)[current_.at]->entry.name : "";
  if (has_current_) drop(current_.tick, plugin, current_.points);
  for (const metrics::Tick& tick : queue_) drop(tick, plugin, tick.points.size());
  queue_.clear();
  has_current_ = waiting_ = false;
  points_inside_ = current_.points = 0;
  // A late answer must not find a stage.
  configured_ = std::make_shared<Stages>();
  swap();
}

std::vector<bool> Chain::held_series() const {
  std::vector<bool> held;
  for (const auto* const stages : {stages_.get(), configured_.get()}) {
    for (const auto& stage : *stages) {
      if (stage->hosted != nullptr) stage->hosted->mark_series(held);
    }
  }
  return held;
}

void Chain::let_series_go() {
  for (const auto& stage : *stages_) {
    if (stage->hosted != nullptr) stage->hosted->let_series_go();
  }
}

void Chain::forget_series(const std::vector<metrics::SeriesId>& gone) {
  for (const auto* const stages : {stages_.get(), configured_.get()}) {
    for (const auto& stage : *stages) {
      if (stage->plugin != nullptr) stage->plugin->forget_series(gone);
    }
  }
}

std::vector<config::PluginStatus> Chain::states() const {
  std::vector<config::PluginStatus> states;
  states.reserve(stages_->size());
  for (const auto& stage : *stages_) {
    config::PluginStatus& state = states.emplace_back(stage->state);
    state.p50 = seconds(stage->durations.quantile(0.5));
    state.p99 = seconds(stage->durations.quantile(0.99));
    if (stage->hosted == nullptr) continue;
    state.state = to_string(stage->hosted->phase());
    state.restarts += stage->hosted->restarts();
    state.threads = stage->hosted->usage().threads();
    state.cpu = stage->hosted->usage().cpu();
    state.memory = stage->hosted->usage().last().memory;
    if (!stage->hosted->error().empty()) state.error = stage->hosted->error();
  }
  return states;
}

}  // namespace monitor::agent
