#include "plugins/chain/stage_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/log.h"
#include "plugins/builtin/registry.h"

namespace monitor::agent {

namespace {

bool contains(const Stages& stages, const std::shared_ptr<Stage>& one) {
  return std::find(stages.begin(), stages.end(), one) != stages.end();
}

}  // namespace

StageList::StageList(metrics::SeriesTable& table, HostedPlugins* hosted, std::function<void()> on_change)
    : table_(table), hosted_(hosted), on_change_(std::move(on_change)) {}

StageList::~StageList() {
  for (const auto& stage : *configured_) stage->finalize();
  if (configured_ == applied_) return;
  for (const auto& stage : *applied_) {
    if (!contains(*configured_, stage)) stage->finalize();
  }
}

std::optional<config::Problem> StageList::configure(const std::vector<config::PluginEntry>& entries) {
  auto next = std::make_shared<Stages>();
  Stages started;
  auto problem = start_builtin(entries, *next, started);
  if (!problem) problem = start_hosted(entries, *next);
  if (problem) {
    for (const auto& one : started) one->finalize();
    return problem;
  }
  // Plugins of a configuration that was never applied.
  for (const auto& stage : *configured_) {
    if (!contains(*next, stage) && !contains(*applied_, stage)) stage->finalize();
  }
  configured_ = std::move(next);
  return std::nullopt;
}

// Reuses unchanged plugins and starts new built-in ones; the places of new hosted plugins stay empty.
std::optional<config::Problem> StageList::start_builtin(const std::vector<config::PluginEntry>& entries, Stages& next,
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

std::optional<config::Problem> StageList::start_hosted(const std::vector<config::PluginEntry>& entries, Stages& next) {
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
    stage->hosted->set_on_change(on_change_);
    next[places[i]] = std::move(stage);
  }
  return std::nullopt;
}

bool StageList::apply() {
  if (configured_ == applied_) return false;
  const std::shared_ptr<Stages> old = std::exchange(applied_, configured_);
  Stages leaving;
  std::copy_if(old->begin(), old->end(), std::back_inserter(leaving),
               [&](const auto& stage) { return !contains(*applied_, stage); });
  for (const auto& stage : *applied_) {
    if (contains(*old, stage)) continue;
    const auto before = std::find_if(leaving.begin(), leaving.end(),
                                     [&](const auto& one) { return one->entry.name == stage->entry.name; });
    stage->enter(before == leaving.end() ? nullptr : before->get());
    if (before != leaving.end()) leaving.erase(before);
  }
  for (const auto& stage : leaving) {
    stage->finalize();
    log_info("plugin removed", {{"plugin", stage->entry.name}});
  }
  return true;
}

void StageList::clear() {
  configured_ = std::make_shared<Stages>();
  apply();
}

std::vector<bool> StageList::held_series() const {
  std::vector<bool> held;
  for (const auto* const stages : {applied_.get(), configured_.get()}) {
    for (const auto& stage : *stages) {
      if (stage->hosted != nullptr) stage->hosted->mark_series(held);
    }
  }
  return held;
}

void StageList::let_series_go() {
  for (const auto& stage : *applied_) {
    if (stage->hosted != nullptr) stage->hosted->let_series_go();
  }
}

void StageList::forget_series(const std::vector<metrics::SeriesId>& gone) {
  for (const auto* const stages : {applied_.get(), configured_.get()}) {
    for (const auto& stage : *stages) {
      if (stage->plugin != nullptr) stage->plugin->forget_series(gone);
    }
  }
}

}  // namespace monitor::agent
