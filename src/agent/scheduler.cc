#include "agent/scheduler.h"

#include <algorithm>
#include <map>

#include "base/clock.h"

namespace monitor::agent {

namespace {

bool has(const Scheduler::Schedule& schedule, const std::string& name) {
  return std::any_of(schedule.selections.begin(), schedule.selections.end(),
                     [&](const auto& one) { return one.name == name; });
}

int64_t moved(const Scheduler::Schedule& schedule, int64_t last_due, int64_t interval_ns, int64_t now) {
  return std::max(now, std::min(schedule.next_due, last_due + interval_ns));
}

int64_t last_due(const Scheduler::Schedule& schedule, const std::string& name) {
  const auto joined = schedule.joined.find(name);
  return joined == schedule.joined.end() ? schedule.last_due : std::max(schedule.last_due, joined->second);
}

}  // namespace

std::vector<uint64_t> Scheduler::configure(const config::Settings& settings, int64_t mono_ns, int64_t wall_ns) {
  const std::vector<Schedule> old = std::exchange(schedules_, {});
  settings_ = settings;
  std::vector<bool> placed(settings.metrics.size(), false);
  for (const Schedule& schedule : old) retain(schedule, placed, mono_ns);
  for (size_t i = 0; i < placed.size(); ++i) {
    if (!placed[i]) place_new(settings.metrics[i], mono_ns, wall_ns);
  }
  if (schedules_.empty()) {
    // A schedule without metrics keeps the agent ticking.
    if (old.empty()) {
      begin(settings.interval_ns, mono_ns, wall_ns);
    } else {
      Schedule rest = old.front();
      rest.next_due = rest.interval_ns == settings.interval_ns
                          ? rest.next_due
                          : moved(rest, rest.last_due, settings.interval_ns, mono_ns);
      rest.interval_ns = settings.interval_ns;
      rest.selections.clear();
      rest.joins = false;
      schedules_.push_back(std::move(rest));
    }
  }
  resolve_joins(old);
  std::vector<uint64_t> gone;
  for (const Schedule& schedule : old) {
    const bool stays =
        std::any_of(schedules_.begin(), schedules_.end(), [&](const Schedule& one) { return one.id == schedule.id; });
    if (!stays) gone.push_back(schedule.id);
  }
  return gone;
}

// If several schedules have the same interval, the one that had it before keeps it, and the others join it. So their
// change does not move its ticks.
void Scheduler::resolve_joins(const std::vector<Schedule>& old) {
  const auto was_there = [&old](const Schedule& schedule) {
    return std::any_of(old.begin(), old.end(), [&](const Schedule& one) {
      return one.id == schedule.id && one.interval_ns == schedule.interval_ns && !one.joins;
    });
  };
  std::map<int64_t, uint64_t> hosts;  // interval -> schedule
  for (const Schedule& schedule : schedules_) {
    if (was_there(schedule)) hosts.try_emplace(schedule.interval_ns, schedule.id);
  }
  for (Schedule& schedule : schedules_) {
    order(schedule);
    schedule.joins = hosts.try_emplace(schedule.interval_ns, schedule.id).first->second != schedule.id;
  }
  // If both are due at the same time, the joined schedule must tick first. Otherwise it would read the joining metrics
  // twice.
  std::stable_partition(schedules_.begin(), schedules_.end(), [](const Schedule& one) { return !one.joins; });
}

// The schedule keeps the metrics that still have its interval. If there are none, it gets the interval of the metric
// that was due first. The other metrics leave it. A metric that has joined since the last tick has its own last tick.
void Scheduler::retain(Schedule schedule, std::vector<bool>& placed, int64_t mono_ns) {
  std::vector<const config::MetricSelection*> here;
  for (size_t i = 0; i < placed.size(); ++i) {
    if (placed[i] || !has(schedule, settings_.metrics[i].name)) continue;
    placed[i] = true;
    here.push_back(&settings_.metrics[i]);
  }
  if (here.empty()) return;
  const auto interval = [this](const config::MetricSelection* metric) { return settings_.interval_of(*metric); };
  const Schedule before = schedule;
  const auto last = [&before](const config::MetricSelection* metric) { return last_due(before, metric->name); };
  const bool stays =
      std::any_of(here.begin(), here.end(), [&](const auto* m) { return interval(m) == schedule.interval_ns; });
  if (!stays) {
    const auto* const lead =
        *std::min_element(here.begin(), here.end(), [&](const auto* a, const auto* b) { return last(a) < last(b); });
    schedule.interval_ns = interval(lead);
    schedule.last_due = last(lead);
    schedule.next_due = moved(before, schedule.last_due, schedule.interval_ns, mono_ns);
    schedule.joined.clear();
  }
  schedule.selections.clear();
  std::vector<Schedule> leaving;
  for (const config::MetricSelection* metric : here) {
    if (interval(metric) == schedule.interval_ns && (stays || last(metric) == schedule.last_due)) {
      schedule.selections.push_back(*metric);
      continue;
    }
    auto to = std::find_if(leaving.begin(), leaving.end(), [&](const Schedule& one) {
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
  schedules_.push_back(std::move(schedule));
  for (Schedule& one : leaving) schedules_.push_back(std::move(one));
}

void Scheduler::place_new(const config::MetricSelection& metric, int64_t mono_ns, int64_t wall_ns) {
  const int64_t interval = settings_.interval_of(metric);
  const auto same = std::find_if(schedules_.begin(), schedules_.end(),
                                 [&](const Schedule& one) { return one.interval_ns == interval; });
  Schedule& schedule = same != schedules_.end() ? *same : begin(interval, mono_ns, wall_ns);
  schedule.selections.push_back(metric);
}

Scheduler::Schedule& Scheduler::begin(int64_t interval_ns, int64_t mono_ns, int64_t wall_ns) {
  Schedule schedule;
  schedule.id = ++last_id_;
  schedule.interval_ns = interval_ns;
  schedule.next_due = mono_ns + std::min(interval_ns, kNanosPerSecond);
  schedule.last_due = mono_ns;
  schedule.last_wall_ns = wall_ns;
  return schedules_.emplace_back(std::move(schedule));
}

// In the order of the document, so that all ticks of a schedule have the same layout.
void Scheduler::order(Schedule& schedule) const {
  std::vector<config::MetricSelection> ordered;
  for (const config::MetricSelection& metric : settings_.metrics) {
    if (has(schedule, metric.name)) ordered.push_back(metric);
  }
  schedule.selections = std::move(ordered);
}

int64_t Scheduler::next_due() const {
  int64_t next = INT64_MAX;
  for (const Schedule& schedule : schedules_) next = std::min(next, schedule.next_due);
  return next;
}

int64_t Scheduler::due_after(int64_t mono_ns) const {
  int64_t first = INT64_MAX;
  for (const Schedule& schedule : schedules_) {
    const int64_t ahead = std::max<int64_t>(mono_ns - schedule.next_due, 0);
    const int64_t ticks = (ahead + schedule.interval_ns - 1) / schedule.interval_ns;
    first = std::min(first, schedule.next_due + ticks * schedule.interval_ns);
  }
  return first;
}

Scheduler::Due Scheduler::take(int64_t mono_ns) {
  const auto first = std::min_element(schedules_.begin(), schedules_.end(),
                                      [](const Schedule& a, const Schedule& b) { return a.next_due < b.next_due; });
  Due result;
  result.index = static_cast<size_t>(first - schedules_.begin());
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

std::optional<size_t> Scheduler::join(size_t index) {
  const Schedule& schedule = schedules_[index];
  if (!schedule.joins) return std::nullopt;
  for (size_t i = 0; i < schedules_.size(); ++i) {
    if (i == index || schedules_[i].joins || schedules_[i].interval_ns != schedule.interval_ns) continue;
    schedules_[i].selections.insert(schedules_[i].selections.end(), schedule.selections.begin(),
                                    schedule.selections.end());
    for (const config::MetricSelection& one : schedule.selections) schedules_[i].joined[one.name] = schedule.last_due;
    order(schedules_[i]);
    return i;
  }
  schedules_[index].joins = false;
  return std::nullopt;
}

}  // namespace monitor::agent
