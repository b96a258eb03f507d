#include "inputs/proc/pressure.h"

#include <algorithm>

#include "base/text.h"
#include "inputs/proc/collectors.h"

namespace monitor::agent {

Result<PressureTotals> parse_pressure(std::string_view text) {
  PressureTotals totals;
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    const size_t at = line.find("total=");
    if (at == std::string_view::npos) continue;
    const auto value = parse_u64(trim(line.substr(at + 6)));
    if (line.starts_with("some ")) totals.some = value;
    if (line.starts_with("full ")) totals.full = value;
  }
  if (!totals.some && !totals.full) return Error(Code::kInvalidArgument, "/proc/pressure: no line with a total");
  return totals;
}

PressureCollector::PressureCollector(const Roots& roots) {
  for (const std::string_view name : {"cpu", "memory", "io", "irq"}) {
    resources_.push_back(
        {name, KernelFile(roots.procfs + "/pressure/" + std::string(name)), {}, {kNoSeries, kNoSeries}});
  }
}

void PressureCollector::configure(const std::vector<config::MetricSelection>& selections) {
  const bool was = wanted_;
  wanted_ = find_selection(selections, "pressure") != nullptr;
  if (was || !wanted_) return;
  last_mono_ = 0;
  for (Resource& resource : resources_) resource.deltas = {};
}

void PressureCollector::adopt(const Collector& from) {
  const auto& other = static_cast<const PressureCollector&>(from);
  last_mono_ = other.last_mono_;
  for (size_t i = 0; i < resources_.size(); ++i) resources_[i].deltas = other.resources_[i].deltas;
}

void PressureCollector::forget_series() {
  for (Resource& resource : resources_) resource.ids.fill(kNoSeries);
}

Status PressureCollector::collect(const Timestamp& now, TickBuilder& out) {
  const int64_t elapsed = last_mono_ == 0 ? 0 : now.mono_ns - last_mono_;
  last_mono_ = now.mono_ns;
  std::optional<Error> first_error;
  size_t failed = 0;
  for (Resource& resource : resources_) {
    const auto text = resource.file.read();
    const auto totals = text ? parse_pressure(*text) : Result<PressureTotals>(text.error());
    if (!totals) {
      ++failed;
      if (!first_error) first_error = totals.error();
      continue;
    }
    constexpr std::array<std::string_view, 2> kTypes = {"some", "full"};
    const std::array<std::optional<uint64_t>, 2> values = {totals->some, totals->full};
    for (size_t i = 0; i < kTypes.size(); ++i) {
      uint64_t growth = 0;
      if (!values[i] || !resource.deltas[i].update(*values[i], growth) || elapsed <= 0) continue;
      // The total jumped: it grew by more than the elapsed time plus the delay of a late read.
      if (growth / 2 > static_cast<uint64_t>(elapsed / 1000) + 500'000) continue;
      if (resource.ids[i] == kNoSeries) {
        resource.ids[i] = out.intern("system.pressure.stall",
                                     {{"resource", std::string(resource.name)}, {"type", std::string(kTypes[i])}});
      }
      out.add_share(resource.ids[i], growth * 1000, static_cast<uint64_t>(elapsed));
    }
  }
  // Without PSI all files are missing, which is an error. A single missing file is not.
  if (failed == resources_.size()) return *first_error;
  return {};
}

std::unique_ptr<Collector> make_pressure(const CollectorContext& context) {
  return std::make_unique<PressureCollector>(context.roots);
}

}  // namespace monitor::agent
