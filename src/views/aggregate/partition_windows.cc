#include "views/aggregate/partition_windows.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/text.h"
#include "consume/consumer.h"

namespace monitor::analysis {

namespace {

constexpr size_t kRefusedNames = 5;
constexpr size_t kMaxNumbers = 20'000;
// Numbers of series are only worth freeing when there are many.
constexpr size_t kReleaseAbove = 1000;
constexpr int64_t kLatest = INT64_MAX / 2;  // leaves room for sums

int64_t minus(int64_t time_ns, int64_t by_ns) {
  int64_t result = 0;
  return __builtin_sub_overflow(time_ns, by_ns, &result) ? INT64_MIN : result;
}

uint64_t first_bytes(std::string_view incarnation) {
  uint64_t value = 0;
  std::memcpy(&value, incarnation.data(), std::min(incarnation.size(), sizeof value));
  return value;
}

}  // namespace

int64_t PartitionWindows::first_window(int64_t pane_ns) const {
  const int64_t after = minus(pane_ns + pane_ns_, spec_.width_ns);
  const int64_t floor = floor_to(after, spec_.slide_ns);
  return floor == after ? floor : floor + spec_.slide_ns;
}

// The cache saves building the names of all series for every batch.
PartitionWindows::Numbers& PartitionWindows::numbers_of(const metrics::Batch& batch) {
  if (numbers_.size() >= kMaxNumbers && !numbers_.contains(batch.agent_id)) numbers_.clear();
  Numbers& numbers = numbers_[batch.agent_id];
  if (numbers.epoch == groups_.epoch() && numbers.list == batch.series && numbers.host == batch.hostname) {
    return numbers;
  }
  numbers = {.list = batch.series, .host = batch.hostname, .series = {}, .epoch = groups_.epoch()};
  bool full = false;
  for (const metrics::Series& series : batch.series) {
    uint32_t number = GroupTable::kNone;
    if (metrics::selects(spec_.metric, series)) {
      number = groups_.find_or_add(batch, series);
      if (number == GroupTable::kNone) {
        full = true;
        refuse(series, batch.agent_id);
      }
    }
    numbers.series.push_back(number);
  }
  // Asks again with the next batch, since there may be room then.
  if (full) numbers.epoch = UINT64_MAX;
  return numbers;
}

void PartitionWindows::refuse(const metrics::Series& series, const std::string& agent) {
  if (refused_names_.size() < kRefusedNames) refused_names_.push_back(agent + " " + metrics::to_string(series));
}

void PartitionWindows::apply(const metriclog::Record& record, const metrics::Batch& batch) {
  if (unread_before_first_) {
    whole_from_ns_ = std::max(whole_from_ns_, record.time_ns);
    unread_before_first_ = false;
  }
  if (!spec_.agent.empty() && !glob_match(spec_.agent, batch.agent_id)) return;
  const int64_t off = clock_error_ns(batch, record.time_ns);
  progress_.note(record, batch, off);
  if (batch.frames.empty()) return;
  Numbers& numbers = numbers_of(batch);
  for (const metrics::Frame& frame : batch.frames) {
    const int64_t time = elapsed_ns(off, frame.time_ns);
    if (elapsed_ns(record.time_ns, time) > kMostAhead || time > kLatest) {
      left_out_.ahead += frame.points.size();
    } else if (time < 0) {
      left_out_.too_late += frame.points.size();
    } else {
      add_frame(batch, frame, time, numbers);
    }
  }
}

void PartitionWindows::add_frame(const metrics::Batch& batch, const metrics::Frame& frame, int64_t time_ns,
                                 Numbers& numbers) {
  const int64_t pane_ns = floor_to(time_ns, pane_ns_);
  const bool late = pane_ns + pane_ns_ <= taken_until_ns_ && first_window(pane_ns) + spec_.width_ns <= taken_until_ns_;
  if (late && last_window(pane_ns) + spec_.width_ns <= minus(taken_until_ns_, spec_.keep_ns)) {
    for (const metrics::Point& point : frame.points) {
      if (numbers.series[point.series] != GroupTable::kNone) ++left_out_.too_late;
    }
    return;
  }
  if (numbers.pane_ns < pane_ns) {
    numbers.pane_ns = pane_ns;
    for (const uint32_t number : numbers.series) {
      if (number != GroupTable::kNone) groups_.use(number, pane_ns);
    }
  }
  Pane& pane = panes_[pane_ns];
  Sample sample{.time_ns = time_ns, .incarnation = first_bytes(batch.incarnation), .sequence = batch.sequence};
  for (const metrics::Point& point : frame.points) {
    sample.series = numbers.series[point.series];
    if (sample.series == GroupTable::kNone) {
      if (numbers.epoch == UINT64_MAX && metrics::selects(spec_.metric, batch.series[point.series]))
        ++left_out_.refused;
      continue;
    }
    sample.value = batch.value(point);
    if (std::isnan(sample.value)) continue;
    const uint32_t group = groups_.group_of(sample.series);
    Cell* const cell = cell_for(pane, group);
    if (cell == nullptr) {
      ++left_out_.refused;
      refuse(batch.series[point.series], batch.agent_id);
      continue;
    }
    sample.counter = groups_.is_counter(sample.series);
    cell->add(sample, wanted_);
    if (late) note_late(pane_ns, pane, group);
  }
  if (pane.cells.empty()) panes_.erase(pane_ns);
}

Cell* PartitionWindows::cell_for(Pane& pane, uint32_t group) {
  if (group >= pane.cells.size()) {
    if (cell_count_ >= spec_.max_cells) return nullptr;
    pane.cells.resize(groups_.groups_bound());
  }
  std::unique_ptr<Cell>& cell = pane.cells[group];
  if (!cell) {
    if (cell_count_ >= spec_.max_cells) return nullptr;
    cell = std::make_unique<Cell>();
    ++cell_count_;
  }
  return cell.get();
}

void PartitionWindows::note_late(int64_t pane_ns, Pane& pane, uint32_t group) {
  if (pane.corrected.size() <= group) pane.corrected.resize(pane.cells.size());
  if (pane.corrected[group]) return;
  pane.corrected[group] = true;
  const int64_t kept_after = minus(taken_until_ns_, spec_.keep_ns);
  for (int64_t window = first_window(pane_ns);
       window <= last_window(pane_ns) && window + spec_.width_ns <= taken_until_ns_; window += spec_.slide_ns) {
    // The first panes of an older window are gone.
    if (window + spec_.width_ns > kept_after) corrections_.emplace(window, group);
  }
}

int64_t PartitionWindows::due_ns() {
  const int64_t beyond = spec_.width_ns + spec_.slide_ns + spec_.lateness_ns;
  const int64_t watermark = progress_.watermark(beyond);
  return watermark == INT64_MIN ? watermark : minus(watermark, spec_.lateness_ns);
}

std::vector<int64_t> PartitionWindows::windows_until(int64_t until_ns) const {
  std::set<int64_t> windows;
  for (const auto& [pane_ns, pane] : panes_) {
    for (int64_t window = first_window(pane_ns); window <= last_window(pane_ns); window += spec_.slide_ns) {
      const int64_t end = window + spec_.width_ns;
      if (end > taken_until_ns_ && end <= until_ns) windows.insert(window);
    }
  }
  return {windows.begin(), windows.end()};
}

std::vector<int64_t> PartitionWindows::open_windows() const { return windows_until(INT64_MAX); }

void PartitionWindows::take_corrections() {
  for (const auto& one : corrections_) ++revisions_[one];
  corrections_.clear();
  for (auto& [start, pane] : panes_) pane.corrected.clear();
}

void PartitionWindows::take_until(int64_t until_ns) {
  if (until_ns <= taken_until_ns_) return;
  taken_until_ns_ = until_ns;
  // More windows may be late now.
  if (!corrections_.empty()) {
    for (auto& [start, pane] : panes_) pane.corrected.clear();
  }
  drop_old_panes();
}

void PartitionWindows::drop_old_panes() {
  const int64_t before = minus(taken_until_ns_, spec_.keep_ns);
  bool dropped = false;
  while (!panes_.empty() && last_window(panes_.begin()->first) + spec_.width_ns <= before) {
    for (const auto& cell : panes_.begin()->second.cells) cell_count_ -= cell ? 1 : 0;
    panes_.erase(panes_.begin());
    dropped = true;
  }
  if (!dropped) return;
  // Later panes may still be part of such a window, but they can no longer be corrected.
  const auto is_old = [&](int64_t window) { return window + spec_.width_ns <= before; };
  std::erase_if(revisions_, [&](const auto& one) { return is_old(one.first.first); });
  std::erase_if(corrections_, [&](const auto& one) { return is_old(one.first); });
  if (groups_.series() < kReleaseAbove && groups_.series() < spec_.max_series) return;
  groups_.release(panes_.empty() ? taken_until_ns_ : panes_.begin()->first);
}

std::map<uint32_t, std::vector<const Cell*>> PartitionWindows::cells_of(int64_t window_ns) const {
  std::map<uint32_t, std::vector<const Cell*>> cells;
  for (auto it = panes_.lower_bound(window_ns); it != panes_.end() && it->first < window_ns + spec_.width_ns; ++it) {
    for (uint32_t group = 0; group < it->second.cells.size(); ++group) {
      if (const auto& cell = it->second.cells[group]; cell) cells[group].push_back(cell.get());
    }
  }
  return cells;
}

uint32_t PartitionWindows::revision(int64_t window_ns, uint32_t group) const {
  const auto found = revisions_.find({window_ns, group});
  return found == revisions_.end() ? 0 : found->second;
}

}  // namespace monitor::analysis
