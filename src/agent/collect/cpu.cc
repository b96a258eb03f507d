#include "agent/collect/cpu.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace monitor::agent {

namespace {

// OpenTelemetry's names of cpu.mode.
constexpr std::array<std::string_view, CpuTimes::kModes> kModeNames = {"user",   "nice",      "system",  "idle",
                                                                       "iowait", "interrupt", "softirq", "steal"};

}  // namespace

Status parse_stat(std::string_view text, std::vector<CpuLine>& out) {
  out.clear();
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    if (!line.starts_with("cpu")) break;  // the cpu lines come first
    Fields fields(line.substr(3));
    CpuLine cpu;
    if (line.size() > 3 && line[3] != ' ') {
      const auto core = fields.number();
      if (!core || *core > 1'000'000) {
        return Error(Code::kInvalidArgument,
                     fmt::format("/proc/stat: malformed line {}", json_quote(line.substr(0, 80))));
      }
      cpu.core = static_cast<int64_t>(*core);
    }
    // Old kernels have fewer columns; what is not there is 0.
    size_t columns = 0;
    for (uint64_t& mode : cpu.times.modes) {
      const auto value = fields.number();
      if (!value) break;
      mode = *value;
      ++columns;
    }
    if (columns < 4) {
      return Error(Code::kInvalidArgument,
                   fmt::format("/proc/stat: malformed line {}", json_quote(line.substr(0, 80))));
    }
    const uint64_t guest = fields.number().value_or(0);
    const uint64_t guest_nice = fields.number().value_or(0);
    auto& modes = cpu.times.modes;
    modes[CpuTimes::kUser] -= std::min(guest, modes[CpuTimes::kUser]);
    modes[CpuTimes::kNice] -= std::min(guest_nice, modes[CpuTimes::kNice]);
    out.push_back(cpu);
  }
  if (out.empty() || out.front().core != -1) {
    return Error(Code::kInvalidArgument, "/proc/stat: no line \"cpu\" at its start");
  }
  return {};
}

std::optional<CpuShares> cpu_shares(const CpuTimes& before, const CpuTimes& after) {
  std::array<uint64_t, CpuTimes::kModes> growth{};
  uint64_t total = 0;
  for (size_t i = 0; i < growth.size(); ++i) {
    // idle and iowait may go backwards a little (proc_stat(5)); any other mode does only when counting began anew.
    const bool jitters = i == CpuTimes::kIdle || i == CpuTimes::kIowait;
    if (after.modes[i] < before.modes[i] && !jitters) return std::nullopt;
    growth[i] = after.modes[i] > before.modes[i] ? after.modes[i] - before.modes[i] : 0;
    total += growth[i];
  }
  if (total == 0) return std::nullopt;
  CpuShares shares;
  for (size_t i = 0; i < growth.size(); ++i) {
    shares.modes[i] = static_cast<double>(growth[i]) / static_cast<double>(total);
  }
  const uint64_t idle = growth[CpuTimes::kIdle] + growth[CpuTimes::kIowait];
  shares.busy = static_cast<double>(total - idle) / static_cast<double>(total);
  return shares;
}

void CpuCollector::configure(const std::vector<config::MetricSelection>& selections) {
  wanted_ = false;
  per_core_ = false;
  modes_ = false;
  for (const auto& selection : selections) {
    if (selection.name != "cpu") continue;
    wanted_ = true;
    per_core_ = selection.per_core;
    modes_ = selection.modes;
  }
  if (!wanted_) cores_.clear();
}

void CpuCollector::intern(CoreState& state, int64_t core, TickBuilder& out) {
  metrics::Labels labels;
  if (core >= 0) metrics::set_label(labels, "cpu.logical_number", std::to_string(core));
  state.busy = out.intern(share_series("system.cpu.utilization", labels));
  for (size_t i = 0; i < state.modes.size(); ++i) {
    state.modes[i] = kNoSeries;
    if (!modes_) continue;
    metrics::Labels with_mode = labels;
    metrics::set_label(with_mode, "cpu.mode", kModeNames[i]);
    state.modes[i] = out.intern(share_series("system.cpu.utilization", with_mode));
  }
  state.interned = true;
}

void CpuCollector::adopt(const Collector& from) {
  cores_ = static_cast<const CpuCollector&>(from).cores_;
  for (auto& [core, state] : cores_) state.interned = false;
}

Status CpuCollector::collect(const Moment&, TickBuilder& out) {
  const auto text = file_.read();
  if (!text) return text.error();
  if (auto s = parse_stat(*text, lines_); !s) return s;
  for (const CpuLine& line : lines_) {
    if (line.core >= 0 && !per_core_) break;
    CoreState& state = cores_[line.core];
    if (!state.interned || (modes_ && state.modes[0] == kNoSeries)) intern(state, line.core, out);
    const auto shares = state.seen ? cpu_shares(state.last, line.times) : std::nullopt;
    // No jiffy passed: keep the older reading, so that the next tick sees the whole time.
    if (state.seen && !shares && line.times.modes == state.last.modes) continue;
    state.last = line.times;
    state.seen = true;
    if (!shares) continue;
    out.add_share(state.busy, shares->busy);
    if (!modes_) continue;
    for (size_t i = 0; i < state.modes.size(); ++i) out.add_share(state.modes[i], shares->modes[i]);
  }
  return {};
}

}  // namespace monitor::agent
