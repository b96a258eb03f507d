#include "inputs/proc/host_source.h"

#include <algorithm>

#include "base/log.h"
#include "config/schema.h"
#include "inputs/proc/collectors.h"

namespace monitor::agent {

namespace {

// Whether every selection that wants the collector says that the host may lack its source.
bool is_optional(std::string_view collector, const std::vector<config::MetricSelection>& selections) {
  const auto known = metrics::collectors();
  const auto spec = std::ranges::find(known, collector, &metrics::CollectorSpec::name);
  return spec != known.end() && std::ranges::all_of((*spec)->selectors, [&](const metrics::SelectorSpec& one) {
           const config::MetricSelection* const selection = find_selection(selections, one.name);
           return selection == nullptr || selection->has(config::kOptional);
         });
}

}  // namespace

HostSource::HostSource(const Roots& roots, metrics::SeriesTable& table, const Clock& clock, ProbeMount probe)
    : roots_(roots), table_(table), clock_(clock), prober_(std::make_shared<MountProber>(clock, std::move(probe))) {}

HostSource::~HostSource() = default;

std::vector<HostSource::Slot> HostSource::make_slots() const {
  std::vector<Slot> slots;
  const CollectorContext context{roots_, prober_};
#define COLLECTOR(x) slots.push_back({metrics::catalog::x.name, make_##x(context), {}, false, false, false});
#include "metrics/catalog/collectors.def"
#undef COLLECTOR
  return slots;
}

void HostSource::configure(uint64_t schedule, const std::vector<config::MetricSelection>& selections) {
  if (selections.empty()) {
    schedules_.erase(schedule);
    forget_mounts();
    return;
  }
  const auto [found, is_new] = schedules_.try_emplace(schedule);
  if (is_new) found->second = make_slots();
  for (Slot& slot : found->second) {
    slot.collector->configure(selections);
    slot.optional = is_optional(slot.name, selections);
    if (!slot.collector->wanted()) {
      slot.has_baseline = false;
    } else if (!slot.has_baseline) {
      adopt(slot, schedule);
    }
  }
  forget_mounts();
}

// If no schedule reads filesystems, no mount is reported as stuck.
void HostSource::forget_mounts() {
  for (const auto& [schedule, slots] : schedules_) {
    for (const Slot& slot : slots) {
      if (slot.collector->wanted() && slot.name == "filesystem") return;
    }
  }
  prober_->ask({}, {}, 0);
}

// Takes over the baselines from another schedule's collector of the same source.
void HostSource::adopt(Slot& slot, uint64_t schedule) {
  for (auto& [other, slots] : schedules_) {
    if (other == schedule) continue;
    for (Slot& from : slots) {
      if (from.name != slot.name || !from.has_baseline) continue;
      slot.collector->adopt(*from.collector);
      slot.has_baseline = true;
      return;
    }
  }
}

void HostSource::baseline(const Timestamp& now) {
  metrics::Tick thrown_away;
  TickBuilder out(table_, thrown_away);
  for (auto& [schedule, slots] : schedules_) {
    for (Slot& slot : slots) {
      if (slot.collector->wanted() && !slot.has_baseline) read(slot, now, out);
    }
  }
}

uint64_t HostSource::collect(uint64_t schedule, const Timestamp& now, metrics::Tick& tick) {
  TickBuilder out(table_, tick);
  const auto found = schedules_.find(schedule);
  if (found == schedules_.end()) return 0;
  const std::vector<StuckMount> stuck = prober_->stuck();
  for (Slot& slot : found->second) {
    if (slot.collector->wanted()) read(slot, now, out);
  }
  if (on_stuck_ && stuck != prober_->stuck()) on_stuck_();
  return out.over_cardinality();
}

void HostSource::forget_series() {
  for (auto& [schedule, slots] : schedules_) {
    for (Slot& slot : slots) slot.collector->forget_series();
  }
}

void HostSource::read(Slot& slot, const Timestamp& now, TickBuilder& out) {
  const int64_t start = clock_.mono_ns();
  const Status status = slot.collector->collect(now, out);
  slot.state.last_duration_ns = clock_.mono_ns() - start;
  ++slot.state.reads;
  slot.has_baseline = true;
  slot.worked = slot.worked || status;
  const bool lacking = !status && slot.optional && !slot.worked;  // as an optional one may
  if (lacking && slot.state.reads == 1) {
    log_info("this host does not have optional metrics",
             {{"collector", slot.name}, {"reason", status.error().message()}});
  }
  const std::string error = status || lacking ? "" : status.error().message();
  if (!status && !lacking) ++slot.state.failures;
  if (error == slot.state.error) return;
  slot.state.error = error;
  if (status) {
    log_info("collector works again", {{"collector", slot.name}});
  } else {
    log_warning("collector failed; the others continue, and every tick tries again",
                {{"collector", slot.name}, {"reason", error}});
  }
}

std::map<std::string, CollectorState> HostSource::states() const {
  std::map<std::string, CollectorState> states;
  for (const auto& [schedule, slots] : schedules_) {
    for (const Slot& slot : slots) {
      if (!slot.collector->wanted()) continue;
      CollectorState& sum = states[std::string(slot.name)];
      sum.reads += slot.state.reads;
      sum.failures += slot.state.failures;
      sum.last_duration_ns = slot.state.last_duration_ns;
      if (!slot.state.error.empty()) sum.error = slot.state.error;
    }
  }
  return states;
}

}  // namespace monitor::agent
