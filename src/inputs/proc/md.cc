// Software RAID (md): whether arrays have all of their disks, from /proc/mdstat.
#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/text.h"
#include "inputs/proc/collectors.h"
#include "inputs/proc/kernel_file.h"
#include "inputs/proc/md_arrays.h"

namespace monitor::agent {

namespace {

constexpr std::array<std::string_view, 3> kStates = {"active", "failed", "spare"};

struct ArraySeries {
  metrics::SeriesId active = kNoSeries, missing = kNoSeries, required = kNoSeries;
  std::array<metrics::SeriesId, kStates.size()> disks{kNoSeries, kNoSeries, kNoSeries};
  std::map<std::string, metrics::SeriesId, std::less<>> progress;  // by action
  bool seen = false;
};

class MdCollector final : public Collector {
 public:
  explicit MdCollector(const Roots& roots) : file_(roots.procfs + "/mdstat") {}

  void configure(const std::vector<config::MetricSelection>& selections) override {
    wanted_ = find_selection(selections, "md") != nullptr;
    if (!wanted_) series_.clear();
  }
  bool wanted() const override { return wanted_; }
  void forget_series() override { series_.clear(); }

  Status collect(const Timestamp& /*now*/, TickBuilder& out) override {
    const auto text = file_.read_table(mdstat_shape);
    if (!text) return text.error();
    for (auto& [name, series] : series_) series.seen = false;
    for (const MdArray& array : parse_mdstat(*text)) add(array, out);
    std::erase_if(series_, [](const auto& one) { return !one.second.seen; });
    return {};
  }

 private:
  static metrics::SeriesId of(metrics::SeriesId& id, TickBuilder& out, std::string_view metric, std::string_view array,
                              std::string_view key = {}, std::string_view value = {}) {
    if (id != kNoSeries) return id;
    metrics::Labels labels = {{"system.device", sanitize_utf8(array)}};
    if (!key.empty()) metrics::set_label(labels, key, value);
    return id = out.intern(metric, std::move(labels));
  }

  void add(const MdArray& array, TickBuilder& out) {
    ArraySeries& series = series_.try_emplace(std::string(array.name)).first->second;
    series.seen = true;
    out.add_integer(of(series.active, out, "system.md.active", array.name), array.active ? 1 : 0);
    const std::array<uint64_t, kStates.size()> disks = {array.in_sync.value_or(array.used), array.failed, array.spare};
    for (size_t i = 0; i < kStates.size(); ++i) {
      out.add_integer(of(series.disks[i], out, "system.md.disk.count", array.name, "system.md.disk.state", kStates[i]),
                      whole(disks[i]));
    }
    if (array.required && array.in_sync) {
      out.add_integer(of(series.required, out, "system.md.disk.required", array.name), whole(*array.required));
      out.add_integer(of(series.missing, out, "system.md.disk.missing", array.name),
                      whole(*array.required - std::min(*array.in_sync, *array.required)));
    }
    if (array.action.empty()) return;
    metrics::SeriesId& id = series.progress.try_emplace(std::string(array.action), kNoSeries).first->second;
    out.add_share(of(id, out, "system.md.sync.progress", array.name, "system.md.sync.action", array.action), array.done,
                  array.total);
  }

  static int64_t whole(uint64_t value) { return static_cast<int64_t>(std::min<uint64_t>(value, INT64_MAX)); }

  KernelFile file_;
  bool wanted_ = false;
  std::map<std::string, ArraySeries> series_;  // by the array's name
};

}  // namespace

std::unique_ptr<Collector> make_md(const CollectorContext& context) {
  return std::make_unique<MdCollector>(context.roots);
}

}  // namespace monitor::agent
