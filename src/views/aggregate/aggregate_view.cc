#include "views/aggregate/aggregate_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "base/time_format.h"

namespace monitor::analysis {

namespace {

// Late data often comes in many batches. A window is corrected at most this often, by event time.
constexpr int64_t kCorrectEvery = 10 * kNanosPerSecond;
constexpr size_t kRememberedStarts = 10'000;

}  // namespace

std::string row_key(const AggregateSpec& spec, const AggregateRow& row) {
  const int64_t rest = row.start_ns % kNanosPerSecond;
  const double seconds = static_cast<double>(row.end_ns - row.start_ns) / 1e9;
  return fmt::format("[{},\"{}\",{},{}]", json_quote(spec.name), format_rfc3339(row.start_ns, rest == 0 ? 0 : 9),
                     json_number(seconds), row.group.key);
}

AggregateView::AggregateView(const AggregateSpec& spec, telemetry::Registry& registry)
    : spec_(spec),
      joined_(!spec.has(Dimension::Kind::kAgent)),
      emitted_(registry.counter("monitor_analysis_aggregate_rows_total", "Results of windows, without corrections.")),
      corrected_(registry.counter("monitor_analysis_aggregate_corrections_total",
                                  "Results of windows that were emitted again after late data.")),
      too_late_(registry.counter("monitor_analysis_aggregate_too_late_points_total",
                                 "Points that came after their window could no longer be corrected.")),
      ahead_(registry.counter("monitor_analysis_aggregate_ahead_points_total",
                              "Points whose time is in the future of the log.")),
      refused_(registry.counter("monitor_analysis_aggregate_refused_points_total",
                                "Points beyond the limits on series and windows.")) {}

void AggregateView::fresh(int32_t partition, const metriclog::Extent& extent) {
  Partition begun{.windows = PartitionWindows(spec_)};
  if (extent.next > extent.begin || extent.cut) begun.windows.begin_midway();
  partitions_.erase(partition);
  partitions_.emplace(partition, std::move(begun));
}

Status AggregateView::decode(int32_t partition, uint32_t /*version*/, std::string_view bytes) {
  auto decoded = PartitionWindows::decode(bytes, spec_);
  if (!decoded) return decoded.error();
  partitions_.erase(partition);
  partitions_.emplace(partition, Partition{.windows = std::move(*decoded)});
  return {};
}

void AggregateView::encode(int32_t partition, std::string& out) {
  const auto found = partitions_.find(partition);
  if (found == partitions_.end()) return PartitionWindows(spec_).encode(out);
  found->second.windows.encode(out);
}

void AggregateView::on_revoked(int32_t partition) { partitions_.erase(partition); }

void AggregateView::on_lost(int32_t partition, int64_t /*from*/, int64_t /*to*/) {
  const auto found = partitions_.find(partition);
  if (found != partitions_.end()) found->second.windows.begin_midway();
}

// Windows are emitted between two records whenever the log's time has moved on by a second. So it does not matter how
// many records the reader gets at once.
void AggregateView::apply(const metriclog::Record& record, const metrics::Batch& batch) {
  auto found = partitions_.find(record.partition);
  if (found == partitions_.end()) {
    found = partitions_.emplace(record.partition, Partition{.windows = PartitionWindows(spec_)}).first;
  }
  Partition& partition = found->second;
  const int64_t second = floor_to(record.time_ns, kNanosPerSecond);
  if (std::exchange(partition.windows.pace().log_second_ns, second) != second) advance(record.partition);
  partition.last_record_mono_ns = -1;
  const LeftOut before = partition.windows.left_out();
  partition.windows.apply(record, batch);
  count_left_out(before, partition.windows.left_out());
}

void AggregateView::count_left_out(const LeftOut& before, const LeftOut& after) {
  const auto count = [](telemetry::Counter& counter, uint64_t& total, uint64_t more) {
    if (more == 0) return;
    counter.add(more);
    total += more;
  };
  count(too_late_, left_out_.too_late, after.too_late - before.too_late);
  count(ahead_, left_out_.ahead, after.ahead - before.ahead);
  count(refused_, left_out_.refused, after.refused - before.refused);
}

void AggregateView::pass(int64_t mono_ns) {
  for (auto& [number, partition] : partitions_) {
    if (partition.last_record_mono_ns < 0) partition.last_record_mono_ns = mono_ns;
    partition.windows.set_silence(mono_ns - partition.last_record_mono_ns);
    if (!joined_) advance(number);
  }
  if (joined_ && !partitions_.empty()) advance(partitions_.begin()->first);
}

AggregateView::Members AggregateView::all() {
  Members members;
  for (auto& [number, partition] : partitions_) members.emplace_back(number, &partition);
  return members;
}

void AggregateView::advance(int32_t partition) {
  if (joined_ && paused_) return;
  emit(joined_ ? all() : Members{{partition, &partitions_.at(partition)}});
}

// A partition without any data holds nobody up.
int64_t AggregateView::due_of(const Members& members) const {
  int64_t due = INT64_MAX;
  for (const auto& [number, partition] : members) {
    const int64_t own = partition->windows.due_ns();
    if (own != INT64_MIN) due = std::min(due, own);
  }
  return due == INT64_MAX ? INT64_MIN : std::min(due, limit_end_ns_);
}

bool AggregateView::corrections_due(const Members& members, int64_t due_ns) const {
  const int64_t every = std::min(kCorrectEvery, spec_.slide_ns);
  return std::ranges::any_of(members, [&](const auto& member) {
    const PartitionWindows& windows = member.second->windows;
    return !windows.corrections().empty() && floor_to(due_ns, every) > floor_to(windows.pace().corrected_at_ns, every);
  });
}

void AggregateView::emit(const Members& members) {
  int64_t due = due_of(members);
  if (due == INT64_MIN) return;
  std::set<int64_t> windows;
  for (const auto& [number, partition] : members) {
    for (const int64_t window : partition->windows.windows_until(due)) windows.insert(window);
  }
  if (corrections_due(members, due)) {
    std::map<int64_t, std::set<std::string>> corrections;
    for (const auto& [number, partition] : members) {
      for (const auto& [window, group] : partition->windows.corrections()) {
        corrections[window].insert(partition->windows.groups().group(group).key);
      }
      partition->windows.take_corrections();
      partition->windows.pace().corrected_at_ns = due;
    }
    for (const auto& [window, groups] : corrections) {
      if (!windows.contains(window)) add_rows(members, window, &groups);
    }
  }
  for (const int64_t window : windows) {
    starts_.insert(window);
    add_rows(members, window, nullptr);
    if (starts_.size() < limit_ || limit_end_ns_ != INT64_MAX) continue;
    due = limit_end_ns_ = window + spec_.width_ns;
    break;
  }
  while (limit_ == SIZE_MAX && starts_.size() > kRememberedStarts) starts_.erase(starts_.begin());
  for (const auto& [number, partition] : members) partition->windows.take_until(due);
}

bool AggregateView::reached_limit() const {
  if (limit_end_ns_ == INT64_MAX) return false;
  return std::ranges::all_of(partitions_, [this](const auto& one) {
    const PartitionWindows& windows = one.second.windows;
    return windows.taken_until_ns() == INT64_MIN || windows.taken_until_ns() >= limit_end_ns_;
  });
}

AggregateView::RowsOfWindow AggregateView::parts_of(const Members& members, int64_t window_ns) {
  RowsOfWindow rows;
  for (const auto& [number, partition] : members) {
    const PartitionWindows& windows = partition->windows;
    for (const auto& [group, cells] : windows.cells_of(window_ns)) {
      Parts& parts = rows[windows.groups().group(group).key];
      parts.group = &windows.groups().group(group);
      parts.revision += windows.revision(window_ns, group);
      for (const Cell* cell : cells) parts.cells.emplace_back(cell, number);
    }
  }
  return rows;
}

bool AggregateView::is_whole(const Members& members, int64_t window_ns) {
  return std::ranges::all_of(members, [=](const auto& member) { return member.second->windows.is_whole(window_ns); });
}

AggregateRow AggregateView::row_of(const Parts& parts, int64_t window_ns, bool complete) const {
  AggregateRow row{.start_ns = window_ns,
                   .end_ns = window_ns + spec_.width_ns,
                   .group = *parts.group,
                   .revision = parts.revision,
                   .complete = complete,
                   .values = {}};
  Cell merged;
  const Cell* cell = parts.cells.front().first;
  if (parts.cells.size() > 1) {
    for (const auto& [part, partition] : parts.cells) merged.merge(*part, partition);
    cell = &merged;
  }
  row.values.reserve(spec_.stats.size());
  for (const Stat& stat : spec_.stats) row.values.push_back(cell->value(stat));
  return row;
}

void AggregateView::add_rows(const Members& members, int64_t window_ns, const std::set<std::string>* only) {
  const bool whole = is_whole(members, window_ns);
  for (const auto& [key, parts] : parts_of(members, window_ns)) {
    if (only != nullptr && !only->contains(std::string(key))) continue;
    (parts.revision > 0 ? corrected_ : emitted_).add();
    rows_.push_back(row_of(parts, window_ns, whole));
  }
}

std::vector<AggregateRow> AggregateView::open_rows() {
  std::vector<AggregateRow> rows;
  const auto add = [&](const Members& members) {
    std::map<int64_t, std::set<std::string>> windows;
    for (const auto& [number, partition] : members) {
      for (const int64_t window : partition->windows.open_windows()) windows[window];
      for (const auto& [window, group] : partition->windows.corrections()) {
        windows[window].insert(partition->windows.groups().group(group).key);
      }
    }
    for (const auto& [window, only] : windows) {
      for (const auto& [key, parts] : parts_of(members, window)) {
        const bool corrects = !only.empty();
        if (corrects && !only.contains(std::string(key))) continue;
        rows.push_back(row_of(parts, window, corrects && is_whole(members, window)));
        if (corrects) ++rows.back().revision;
      }
    }
  };
  if (joined_) {
    add(all());
  } else {
    for (const auto& member : all()) add({member});
  }
  std::ranges::stable_sort(rows, {}, &AggregateRow::start_ns);
  return rows;
}

std::vector<std::string> AggregateView::take_refused_names() {
  std::vector<std::string> names;
  for (auto& [number, partition] : partitions_) {
    for (std::string& name : partition.windows.take_refused_names()) names.push_back(std::move(name));
  }
  return names;
}

}  // namespace monitor::analysis
