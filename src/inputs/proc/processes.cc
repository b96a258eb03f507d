#include "inputs/proc/processes.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/saturating.h"
#include "base/text.h"
#include "inputs/proc/collectors.h"

namespace monitor::agent {

namespace {

constexpr std::array<std::string_view, 2> kDirections = {"read", "write"};

uint64_t times(uint64_t a, uint64_t b) { return b != 0 && a > INT64_MAX / b ? INT64_MAX : a * b; }

}  // namespace

KernelUnits KernelUnits::of_system() {
  const long ticks = sysconf(_SC_CLK_TCK);
  const long page = sysconf(_SC_PAGESIZE);
  KernelUnits units;
  if (ticks > 0) units.ticks_per_second = static_cast<uint64_t>(ticks);
  if (page > 0) units.page_bytes = static_cast<uint64_t>(page);
  return units;
}

int64_t processor_share(uint64_t cpu_ticks, uint64_t ticks_per_second, int64_t elapsed_ns, uint64_t processors) {
  constexpr uint64_t kSteps = 1'000'000;
  if (elapsed_ns <= 0 || processors == 0 || ticks_per_second == 0) return 0;
  const auto used = static_cast<unsigned __int128>(cpu_ticks) * kNanosPerSecond;
  const auto whole = static_cast<unsigned __int128>(elapsed_ns) * ticks_per_second * processors;
  if (used >= whole) return kSteps;
  return static_cast<int64_t>((used * kSteps * 2 + whole) / (whole * 2));
}

ProcessesCollector::ProcessesCollector(const Roots& roots, const KernelUnits& units, ProcessTable::ReadAt read_at)
    : units_(units),
      stat_(roots.procfs + "/stat"),
      table_(roots.procfs, std::move(read_at)),
      users_(roots.host_path("/etc/passwd")) {
  state_ids_.fill(kNoSeries);
}

void ProcessesCollector::configure(const std::vector<config::MetricSelection>& selections) {
  const config::MetricSelection* const selection = find_selection(selections, "processes");
  wanted_ = selection != nullptr;
  counters_ = wanted_ && selection->has("counters");
  top_ = wanted_ ? static_cast<size_t>(selection->count(metrics::kTop)) : 0;
  if (top_ == 0) list_.clear();
  const auto patterns = wanted_ ? selection->patterns_of("groups") : std::vector<std::string>();
  const bool per_user = wanted_ && selection->has("per_user");
  has_groups_ = per_user || !patterns.empty();
  groups_.configure(patterns, per_user);
  if (wanted_) return;
  // The baselines are dropped, because rates would average over the pause.
  table_.reset();
  created_ = {};
  last_mono_ = 0;
}

void ProcessesCollector::adopt(const Collector& from) {
  const auto& other = static_cast<const ProcessesCollector&>(from);
  table_.adopt(other.table_);
  list_ = other.list_;
  list_.forget_series();
  created_ = other.created_;
  last_mono_ = other.last_mono_;
}

void ProcessesCollector::forget_series() {
  state_ids_.fill(kNoSeries);
  created_rate_id_ = created_id_ = kNoSeries;
  list_.forget_series();
  groups_.forget_series();
}

Status ProcessesCollector::collect(const Timestamp& now, TickBuilder& out) {
  const auto text = stat_.read();
  if (!text) return text.error();
  const auto counts = parse_fork_counts(*text);
  if (!counts) return counts.error();
  if (auto read = table_.read(top_ > 0 || has_groups_); !read) return read;
  const int64_t elapsed = last_mono_ == 0 ? 0 : now.mono_ns - last_mono_;
  last_mono_ = now.mono_ns;
  processors_ = counts->processors;
  log_hidden();
  if (!table_.is_partial()) add_states(out);
  add_created(counts->created, elapsed, out);
  if (elapsed <= 0) return {};
  if (has_groups_ && !table_.is_partial()) add_groups(now, elapsed, out);
  if (top_ == 0) return {};
  list_.update(table_, top_, now.mono_ns);
  for (ListedProcess& listed : list_.processes()) {
    const Process* const process = table_.find(listed.pid);
    if (process == nullptr || !describe(*process, listed, now.mono_ns)) continue;
    add_process(*process, listed, elapsed, out);
  }
  return {};
}

void ProcessesCollector::add_groups(const Timestamp& now, int64_t elapsed_ns, TickBuilder& out) {
  const auto share = [&](uint64_t ticks) {
    return processor_share(ticks, units_.ticks_per_second, elapsed_ns, processors_);
  };
  const auto user_name = [&](uint32_t user) { return users_.name(user, now.mono_ns); };
  groups_.add({table_, user_name, share, units_.page_bytes, elapsed_ns}, out);
}

// Sums over only some of the processes would be wrong.
void ProcessesCollector::log_hidden() {
  if (std::exchange(hidden_, table_.is_partial()) == table_.is_partial()) return;
  if (hidden_) {
    log_warning(
        "some processes are hidden from the agent; their number by state is omitted, and only visible "
        "processes are listed. Where /proc is mounted with hidepid, or the unit has ProtectProc=invisible, change "
        "that or run the agent as root",
        {{"visible", table_.processes().size()},
         {"unreadable", table_.unreadable()},
         {"reason", table_.fault().empty() ? "there is no process 1" : table_.fault()}});
  } else {
    log_info("all processes are visible again");
  }
}

void ProcessesCollector::add_states(TickBuilder& out) {
  std::array<int64_t, kProcessStates> counts{};
  for (const Process& process : table_.processes()) ++counts[static_cast<size_t>(process.state)];
  for (size_t i = 0; i < kProcessStates; ++i) {
    if (state_ids_[i] == kNoSeries) {
      const std::string state(to_string(static_cast<ProcessState>(i)));
      state_ids_[i] = out.intern("system.process.count", {{"process.state", state}});
    }
    out.add_integer(state_ids_[i], counts[i]);
  }
}

void ProcessesCollector::add_created(uint64_t created, int64_t elapsed_ns, TickBuilder& out) {
  uint64_t growth = 0;
  if (created_.update(created, growth) && elapsed_ns > 0) {
    if (created_rate_id_ == kNoSeries) created_rate_id_ = out.intern("system.process.created.rate");
    out.add_integer(created_rate_id_, per_second(growth, elapsed_ns));
  }
  if (!counters_) return;
  if (created_id_ == kNoSeries) created_id_ = out.intern("system.process.created");
  out.add_integer(created_id_, static_cast<int64_t>(std::min<uint64_t>(created, INT64_MAX)));
}

// The name changes when the process executes another program, and then its user may have changed, too. Returns false if
// the process has ended since it was read.
bool ProcessesCollector::describe(const Process& process, ListedProcess& listed, int64_t mono_ns) {
  const std::string_view command = table_.command(process);
  if (!listed.owner.empty() && listed.command == command) return true;
  const auto owner = table_.owner(process.pid);
  if (!owner) return false;
  listed.command = command;
  listed.owner = users_.name(*owner, mono_ns);
  listed.series = {};
  return true;
}

void ProcessesCollector::add_process(const Process& process, ListedProcess& listed, int64_t elapsed_ns,
                                     TickBuilder& out) {
  const auto add = [&](metrics::SeriesId& id, std::string_view metric, std::string_view direction, int64_t value) {
    if (id == kNoSeries) {
      metrics::Labels labels = {{"process.command", sanitize_utf8(listed.command)},
                                {"process.owner", sanitize_utf8(listed.owner)},
                                {"process.pid", std::to_string(listed.pid)}};
      if (!direction.empty()) metrics::set_label(labels, "disk.io.direction", direction);
      id = out.intern(metric, std::move(labels));
    }
    out.add_integer(id, value);
  };
  ProcessSeries& series = listed.series;
  if (process.cpu_growth_known) {
    const int64_t share = processor_share(process.cpu_growth, units_.ticks_per_second, elapsed_ns, processors_);
    add(series.cpu, "process.cpu.utilization", "", share);
  }
  // A kernel thread has no memory of its own.
  if (process.kernel_thread) return;
  const uint64_t pages = table_.exact_rss_pages(process.pid).value_or(process.rss_pages);
  add(series.memory, "process.memory.usage", "", static_cast<int64_t>(times(pages, units_.page_bytes)));
  for (size_t i = 0; i < kDirections.size(); ++i) {
    if (process.io_growth_known) {
      add(series.io_rates[i], "process.disk.io.rate", kDirections[i], per_second(process.io_growth[i], elapsed_ns));
    }
    if (counters_ && process.io_known) {
      const auto bytes = static_cast<int64_t>(std::min<uint64_t>(process.io[i], INT64_MAX));
      add(series.io[i], "process.disk.io", kDirections[i], bytes);
    }
  }
}

std::unique_ptr<Collector> make_processes(const CollectorContext& context) {
  return std::make_unique<ProcessesCollector>(context.roots);
}

}  // namespace monitor::agent
