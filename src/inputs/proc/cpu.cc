#include "inputs/proc/cpu.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/saturating.h"
#include "base/text.h"
#include "inputs/proc/collectors.h"

namespace monitor::agent {

namespace {

// OpenTelemetry's names of cpu.mode.
constexpr std::array<std::string_view, CpuTimes::kModes> kModeNames = {"user",   "nice",      "system",  "idle",
                                                                       "iowait", "interrupt", "softirq", "steal"};

// The kernel's counters jitter: idle and iowait fall slightly if they are read while a processor wakes up, and the
// others when the kernel moves time between modes. Prometheus' node_exporter uses 3 s as well.
constexpr double kJitterSeconds = 3;
constexpr double kJitterSecondsPerCpu = 0.1;
// Tolerance for time that a guest catches up on, and for the delay between a read and its timestamp.
constexpr double kLateSecondsPerCpu = 5;
constexpr double kLateShare = 1.25;

double user_hz() {
  static const double hz = static_cast<double>(std::max(1L, sysconf(_SC_CLK_TCK)));
  return hz;
}

// Nothing if the line has fewer columns than every kernel prints. Columns that an old kernel lacks are 0.
std::optional<CpuTimes> parse_times(Fields fields) {
  CpuTimes times;
  size_t columns = 0;
  for (uint64_t& mode : times.modes) {
    const auto value = fields.number();
    if (!value) break;
    mode = *value;
    ++columns;
  }
  return columns < 4 ? std::nullopt : std::optional(times);
}

}  // namespace

Status parse_stat(std::string_view text, std::vector<CpuLine>& out) {
  out.clear();
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    if (!line.starts_with("cpu")) {
      if (out.empty()) continue;
      break;  // the cpu lines are contiguous
    }
    Fields fields(line.substr(3));
    CpuLine cpu;
    if (line.size() > 3 && line[3] != ' ') {
      const auto core = fields.number();
      if (!core || *core > 1'000'000) continue;
      cpu.core = static_cast<int64_t>(*core);
    }
    const auto times = parse_times(fields);
    if (times) {
      cpu.times = *times;
      out.push_back(cpu);
    } else if (cpu.core == -1) {
      return Error(Code::kInvalidArgument,
                   fmt::format("/proc/stat: malformed line {}", json_quote(line.substr(0, 80))));
    }
  }
  if (out.empty() || out.front().core != -1) {
    return Error(Code::kInvalidArgument, "/proc/stat: no line \"cpu\" at its start");
  }
  return {};
}

CpuChange cpu_growth(const CpuTimes& before, const CpuTimes& after, int64_t elapsed_ns, size_t cpus,
                     CpuGrowth& growth) {
  const auto count = static_cast<double>(std::max<size_t>(1, cpus));
  const double jitter = (kJitterSeconds + kJitterSecondsPerCpu * count) * user_hz();
  growth = {};
  bool fell = false;
  for (size_t i = 0; i < growth.modes.size(); ++i) {
    if (after.modes[i] < before.modes[i]) {
      fell = true;
      if (static_cast<double>(before.modes[i] - after.modes[i]) > jitter) return CpuChange::kJumped;
      continue;
    }
    growth.modes[i] = after.modes[i] - before.modes[i];
    add_saturating(growth.total, growth.modes[i]);
    if (i != CpuTimes::kIdle && i != CpuTimes::kIowait) add_saturating(growth.busy, growth.modes[i]);
  }
  const auto total = static_cast<double>(growth.total);
  if (growth.total == 0) return CpuChange::kStill;
  const double passed = static_cast<double>(elapsed_ns) / 1e9 * user_hz() * count;
  if (elapsed_ns > 0 && cpus > 0 && total > passed * kLateShare + kLateSecondsPerCpu * user_hz() * count) {
    return CpuChange::kJumped;
  }
  if (elapsed_ns > 0 && fell && total < passed / 2) return CpuChange::kUneven;
  return CpuChange::kGrew;
}

void CpuCollector::configure(const std::vector<config::MetricSelection>& selections) {
  const config::MetricSelection* const selection = find_selection(selections, "cpu");
  wanted_ = selection != nullptr;
  per_core_ = wanted_ && selection->has("per_core");
  modes_ = wanted_ && selection->has("modes");
  if (!wanted_) cores_.clear();
}

void CpuCollector::intern(CoreState& state, int64_t core, TickBuilder& out) const {
  metrics::Labels labels;
  if (core >= 0) metrics::set_label(labels, "cpu.logical_number", std::to_string(core));
  state.busy = out.intern("system.cpu.utilization", labels);
  for (size_t i = 0; i < state.modes.size(); ++i) {
    state.modes[i] = kNoSeries;
    if (!modes_) continue;
    metrics::Labels with_mode = labels;
    metrics::set_label(with_mode, "cpu.mode", kModeNames[i]);
    state.modes[i] = out.intern("system.cpu.utilization", with_mode);
  }
  state.interned = true;
}

void CpuCollector::adopt(const Collector& from) {
  const auto& other = static_cast<const CpuCollector&>(from);
  cores_ = other.cores_;
  reading_ = other.reading_;
  forget_series();
}

void CpuCollector::forget_series() {
  for (auto& [core, state] : cores_) state.interned = false;
}

bool CpuCollector::update(CoreState& state, const CpuTimes& times, const Timestamp& now, size_t cpus) const {
  // A processor that was offline needs a new baseline, because its counters may have changed in the meantime.
  const bool seen = state.last_reading != 0 && state.last_reading + 1 == reading_;
  state.last_reading = reading_;
  state.growth.reset();
  auto change = CpuChange::kJumped;
  if (seen) {
    CpuGrowth growth;
    const int64_t elapsed = state.last_mono == 0 ? 0 : now.mono_ns - state.last_mono;
    change = cpu_growth(state.last, times, elapsed, cpus, growth);
    // Keeps the older reading as the baseline, so that the next tick covers the whole time since then.
    if (change == CpuChange::kStill) return true;
    if (change == CpuChange::kGrew) state.growth = growth;
  }
  state.last = times;
  state.last_mono = now.mono_ns;
  return change != CpuChange::kJumped;
}

void CpuCollector::add(CoreState& state, int64_t core, TickBuilder& out) const {
  if (!state.interned || (modes_ && state.modes[0] == kNoSeries)) intern(state, core, out);
  if (!state.growth) return;
  const CpuGrowth& growth = *state.growth;
  out.add_share(state.busy, growth.busy, growth.total);
  if (!modes_) return;
  for (size_t i = 0; i < state.modes.size(); ++i) out.add_share(state.modes[i], growth.modes[i], growth.total);
}

Status CpuCollector::collect(const Timestamp& now, TickBuilder& out) {
  const auto text = file_.read();
  if (!text) return text.error();
  if (auto s = parse_stat(*text, lines_); !s) return s;
  ++reading_;
  // The sum includes every processor. If one of them jumped or came online, the growth of the sum is unknown as well.
  bool sum_is_known = true;
  for (const CpuLine& line : lines_) {
    const size_t cpus = line.core >= 0 ? 1 : lines_.size() - 1;
    const bool known = update(cores_[line.core], line.times, now, cpus);
    if (line.core >= 0) sum_is_known = sum_is_known && known;
  }
  if (!sum_is_known) cores_[-1].growth.reset();
  std::erase_if(cores_, [this](const auto& entry) { return entry.second.last_reading != reading_; });
  for (const CpuLine& line : lines_) {
    if (line.core < 0 || per_core_) add(cores_[line.core], line.core, out);
  }
  return {};
}

std::unique_ptr<Collector> make_cpu(const CollectorContext& context) {
  return std::make_unique<CpuCollector>(context.roots);
}

}  // namespace monitor::agent
