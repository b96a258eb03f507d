#include "agent/grids.h"

#include <algorithm>
#include <map>

#include "base/clock.h"

namespace monitor::agent {

namespace {

bool has(const Grids::Grid& grid, const std::string& name) {
  return std::any_of(grid.selections.begin(), grid.selections.end(), [&](const auto& one) { return one.name == name; });
}

int64_t moved(const Grids::Grid& grid, int64_t last_due, int64_t interval_ns, int64_t now) {
  return std::max(now, std::min(grid.next_due, last_due + interval_ns));
}

int64_t last_due(const Grids::Grid& grid, const std::string& name) {
  const auto joined = grid.joined.find(name);
  return joined == grid.joined.end() ? grid.last_due : std::max(grid.last_due, joined->second);
}

}  // namespace

std::vector<uint64_t> Grids::configure(const config::Settings& settings, int64_t mono_ns, int64_t wall_ns) {
  const std::vector<Grid> old = std::exchange(grids_, {});
  settings_ = settings;
  std::vector<bool> placed(settings.metrics.size(), false);
  for (const Grid& grid : old) keep(grid, placed, mono_ns);
  for (size_t i = 0; i < placed.size(); ++i) {
    if (!placed[i]) place_new(settings.metrics[i], mono_ns, wall_ns);
  }
  if (grids_.empty()) {
    // Nothing is read; the time goes on all the same.
    if (old.empty()) {
      begin(settings.interval_ns, mono_ns, wall_ns);
    } else {
      Grid rest = old.front();
      rest.next_due = rest.interval_ns == settings.interval_ns
                          ? rest.next_due
                          : moved(rest, rest.last_due, settings.interval_ns, mono_ns);
      rest.interval_ns = settings.interval_ns;
      rest.selections.clear();
      rest.joins = false;
      grids_.push_back(std::move(rest));
    }
  }
  settle_joins(old);
  std::vector<uint64_t> gone;
  for (const Grid& grid : old) {
    const bool stays = std::any_of(grids_.begin(), grids_.end(), [&](const Grid& one) { return one.id == grid.id; });
    if (!stays) gone.push_back(grid.id);
  }
  return gone;
}

// Of grids of one interval the others join the one that has had it all along, so that a change of theirs does not move
// it.
void Grids::settle_joins(const std::vector<Grid>& old) {
  const auto was_there = [&old](const Grid& grid) {
    return std::any_of(old.begin(), old.end(), [&](const Grid& one) {
      return one.id == grid.id && one.interval_ns == grid.interval_ns && !one.joins;
    });
  };
  std::map<int64_t, uint64_t> hosts;  // interval -> grid
  for (const Grid& grid : grids_) {
    if (was_there(grid)) hosts.try_emplace(grid.interval_ns, grid.id);
  }
  for (Grid& grid : grids_) {
    order(grid);
    grid.joins = hosts.try_emplace(grid.interval_ns, grid.id).first->second != grid.id;
  }
  // When both are due at one time, the host comes first: else what has just joined it would be read twice.
  std::stable_partition(grids_.begin(), grids_.end(), [](const Grid& one) { return !one.joins; });
}

// The grid goes on with those of its metrics that want its interval; if none does, with the first one's. Others leave;
// what has joined since its last tick has a last tick of its own.
void Grids::keep(Grid grid, std::vector<bool>& placed, int64_t mono_ns) {
  std::vector<const config::MetricSelection*> here;
  for (size_t i = 0; i < placed.size(); ++i) {
    if (placed[i] || !has(grid, settings_.metrics[i].name)) continue;
    placed[i] = true;
    here.push_back(&settings_.metrics[i]);
  }
  if (here.empty()) return;
  const auto interval = [this](const config::MetricSelection* metric) { return settings_.interval_of(*metric); };
  const Grid before = grid;
  const auto last = [&before](const config::MetricSelection* metric) { return last_due(before, metric->name); };
  const bool stays =
      std::any_of(here.begin(), here.end(), [&](const auto* m) { return interval(m) == grid.interval_ns; });
  if (!stays) {
    const auto* const lead =
        *std::min_element(here.begin(), here.end(), [&](const auto* a, const auto* b) { return last(a) < last(b); });
    grid.interval_ns = interval(lead);
    grid.last_due = last(lead);
    grid.next_due = moved(before, grid.last_due, grid.interval_ns, mono_ns);
    grid.joined.clear();
  }
  grid.selections.clear();
  std::vector<Grid> leaving;
  for (const config::MetricSelection* metric : here) {
    if (interval(metric) == grid.interval_ns && (stays || last(metric) == grid.last_due)) {
      grid.selections.push_back(*metric);
      continue;
    }
    auto to = std::find_if(leaving.begin(), leaving.end(), [&](const Grid& one) {
      return one.interval_ns == interval(metric) && one.last_due == last(metric);
    });
    if (to == leaving.end()) {
      leaving.push_back(before);
      to = leaving.end() - 1;
      to->id = ++last_id_;
      to->interval_ns = interval(metric);
      to->last_due = last(metric);
      to->next_due = moved(before, to->last_due, to->interval_ns, mono_ns);
      to->selections.clear();
      to->joined.clear();
    }
    to->selections.push_back(*metric);
  }
  grids_.push_back(std::move(grid));
  for (Grid& one : leaving) grids_.push_back(std::move(one));
}

void Grids::place_new(const config::MetricSelection& metric, int64_t mono_ns, int64_t wall_ns) {
  const int64_t interval = settings_.interval_of(metric);
  const auto same =
      std::find_if(grids_.begin(), grids_.end(), [&](const Grid& one) { return one.interval_ns == interval; });
  Grid& grid = same != grids_.end() ? *same : begin(interval, mono_ns, wall_ns);
  grid.selections.push_back(metric);
}

Grids::Grid& Grids::begin(int64_t interval_ns, int64_t mono_ns, int64_t wall_ns) {
  Grid grid;
  grid.id = ++last_id_;
  grid.interval_ns = interval_ns;
  grid.next_due = mono_ns + std::min(interval_ns, kNanosPerSecond);
  grid.last_due = mono_ns;
  grid.last_wall_ns = wall_ns;
  return grids_.emplace_back(std::move(grid));
}

// As the document has them, so that ticks of a grid look alike.
void Grids::order(Grid& grid) const {
  std::vector<config::MetricSelection> ordered;
  for (const config::MetricSelection& metric : settings_.metrics) {
    if (has(grid, metric.name)) ordered.push_back(metric);
  }
  grid.selections = std::move(ordered);
}

int64_t Grids::next_due() const {
  int64_t next = INT64_MAX;
  for (const Grid& grid : grids_) next = std::min(next, grid.next_due);
  return next;
}

Grids::Due Grids::take(int64_t mono_ns) {
  const auto first = std::min_element(grids_.begin(), grids_.end(),
                                      [](const Grid& a, const Grid& b) { return a.next_due < b.next_due; });
  Due result;
  result.index = static_cast<size_t>(first - grids_.begin());
  result.due = first->next_due;
  first->last_due = first->next_due;
  first->joined.clear();
  first->next_due += first->interval_ns;
  if (first->next_due <= mono_ns) {
    const int64_t missed = (mono_ns - first->next_due) / first->interval_ns + 1;
    result.missed = static_cast<uint64_t>(missed);
    first->last_due = first->next_due + (missed - 1) * first->interval_ns;
    first->next_due += missed * first->interval_ns;
  }
  return result;
}

std::optional<size_t> Grids::join(size_t index) {
  const Grid& grid = grids_[index];
  if (!grid.joins) return std::nullopt;
  for (size_t i = 0; i < grids_.size(); ++i) {
    if (i == index || grids_[i].joins || grids_[i].interval_ns != grid.interval_ns) continue;
    grids_[i].selections.insert(grids_[i].selections.end(), grid.selections.begin(), grid.selections.end());
    for (const config::MetricSelection& one : grid.selections) grids_[i].joined[one.name] = grid.last_due;
    order(grids_[i]);
    return i;
  }
  grids_[index].joins = false;
  return std::nullopt;
}

}  // namespace monitor::agent
