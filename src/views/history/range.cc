#include "views/history/range.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

namespace monitor::analysis::history {

namespace {

// The cost of a row besides its values.
constexpr size_t kRowCost = 16;

// Converts a series' integers to its values. Dividing by a power of ten is exact to the last digit; multiplying by
// 0.0001 is not.
void scale(std::vector<double>& values, const metrics::Series& series) {
  if (!series.integer || series.exponent == 0) return;
  const double power = metrics::power_of_ten(std::abs(series.exponent));
  if (series.exponent < 0) {
    for (double& value : values) value /= power;
  } else {
    for (double& value : values) value *= power;
  }
}

// Ticks that came late can be behind later ones. Ticks of the same time stay in the order in which they were added.
void sort_by_time(RangeSeries& series) {
  if (std::ranges::is_sorted(series.times_ns)) return;
  std::vector<size_t> order(series.times_ns.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, {}, [&series](size_t i) { return series.times_ns[i]; });
  std::vector<int64_t> times;
  std::vector<double> values;
  for (const size_t i : order) {
    times.push_back(series.times_ns[i]);
    values.push_back(series.values[i]);
  }
  series.times_ns = std::move(times);
  series.values = std::move(values);
}

}  // namespace

RangeBuilder::RangeBuilder(Resolution resolution, int64_t from_ns, int64_t to_ns, RangeLimits limits)
    : width_ns_(width_ns(resolution)),
      from_ns_(from_ticks(resolution) ? from_ns : bucket_of(from_ns, width_ns_)),
      to_ns_(to_ns),
      limits_(limits) {
  range_.resolution = resolution;
}

void RangeBuilder::start_agent(const std::string& name, Columns columns) {
  agent_ = name;
  columns_ = std::move(columns);
  expected_ = 0;
}

Column* RangeBuilder::selected(uint32_t number) {
  return number < columns_.size() && columns_[number] ? &*columns_[number] : nullptr;
}

RangeSeries& RangeBuilder::slot_of(Column& column) {
  if (column.slot == SIZE_MAX) {
    column.slot = range_.series.size();
    RangeSeries& made = range_.series.emplace_back();
    if (!spare_.empty()) {
      made = std::move(spare_.back());
      spare_.pop_back();
    }
    made.agent = agent_;
    made.series = column.series;
    if (width_ns_ == 0) {
      range_.series.back().times_ns.reserve(expected_);
      range_.series.back().values.reserve(expected_);
    }
  }
  return range_.series[column.slot];
}

void RangeBuilder::append(RangeSeries& out, int64_t time_ns, double value) {
  if (width_ns_ == 0) {
    out.times_ns.push_back(time_ns);
    out.values.push_back(value);
    ++taken_;
    return;
  }
  Cell cell;
  cell.add(value);
  if (cell.count > 0) add_to_bucket(out, bucket_of(time_ns, width_ns_), cell);
}

// Values hold sums until finish().
void RangeBuilder::add_to_bucket(RangeSeries& out, int64_t begin_ns, const Cell& cell) {
  auto at = out.times_ns.end();
  bool found = false;
  if (!out.times_ns.empty() && out.times_ns.back() >= begin_ns) {
    at = std::ranges::lower_bound(out.times_ns, begin_ns);
    found = *at == begin_ns;
  }
  const auto i = at - out.times_ns.begin();
  if (!found) {
    out.times_ns.insert(at, begin_ns);
    out.values.insert(out.values.begin() + i, cell.sum);
    out.min.insert(out.min.begin() + i, cell.min);
    out.max.insert(out.max.begin() + i, cell.max);
    out.counts.insert(out.counts.begin() + i, cell.count);
    ++taken_;
    return;
  }
  const auto place = static_cast<size_t>(i);
  out.values[place] += cell.sum;
  out.min[place] = std::min(out.min[place], cell.min);
  out.max[place] = std::max(out.max[place], cell.max);
  out.counts[place] += cell.count;
}

void RangeBuilder::add_tick(int64_t time_ns, std::string_view points) {
  PointReader reader(points);
  while (const auto point = reader.next()) {
    ++looked_at_;
    if (Column* const column = selected(point->index)) append(slot_of(*column), time_ns, value_of(*point));
  }
}

void RangeBuilder::add_values(uint32_t number, std::span<const int64_t> times, const BlockColumn& values) {
  Column* const column = selected(number);
  if (column == nullptr) return;
  const auto time_of = [&](size_t i) { return times[values.ticks.empty() ? i : values.ticks[i]]; };
  // Times ascend, so those in the range are together.
  size_t begin = 0;
  size_t end = values.values.size();
  while (begin < end && time_of(begin) < from_ns_) ++begin;
  while (end > begin && time_of(end - 1) >= to_ns_) --end;
  if (begin == end) return;
  RangeSeries& out = slot_of(*column);
  if (width_ns_ == 0 && values.ticks.empty()) {
    out.times_ns.insert(out.times_ns.end(), times.begin() + static_cast<ptrdiff_t>(begin),
                        times.begin() + static_cast<ptrdiff_t>(end));
    const size_t old = out.values.size();
    out.values.resize(old + end - begin);
    for (size_t i = begin; i < end; ++i) {
      const int64_t bits = values.values[i];
      out.values[old + i - begin] = values.integer ? static_cast<double>(bits) : std::bit_cast<double>(bits);
    }
    taken_ += end - begin;
    return;
  }
  for (size_t i = begin; i < end; ++i) {
    const int64_t bits = values.values[i];
    append(out, time_of(i), values.integer ? static_cast<double>(bits) : std::bit_cast<double>(bits));
  }
}

void RangeBuilder::add_cell(int64_t begin_ns, const IndexedCell& cell) {
  ++looked_at_;
  if (Column* const column = selected(cell.index)) add_to_bucket(slot_of(*column), begin_ns, cell.cell);
}

Status RangeBuilder::count_row(size_t values) {
  constexpr const char* kAdvice = "request less time, fewer agents or metrics, or a coarser resolution";
  looked_at_ += kRowCost + values;
  if (taken_ > limits_.points) {
    return Error(Code::kResourceExhausted,
                 fmt::format("the range holds more than {} points; {}", limits_.points, kAdvice));
  }
  if (looked_at_ > limits_.looked_at) {
    return Error(Code::kResourceExhausted,
                 fmt::format("the request would have to read more than {} values; {}", limits_.looked_at, kAdvice));
  }
  return {};
}

std::span<const RangeSeries> RangeBuilder::finish_agent() {
  std::erase_if(range_.series, [](const RangeSeries& one) { return one.times_ns.empty(); });  // all were NaN
  for (RangeSeries& one : range_.series) {
    if (width_ns_ == 0) {
      sort_by_time(one);
    } else {
      for (size_t i = 0; i < one.values.size(); ++i) one.values[i] /= static_cast<double>(one.counts[i]);
      scale(one.min, one.series);
      scale(one.max, one.series);
    }
    scale(one.values, one.series);
  }
  return range_.series;
}

void RangeBuilder::drop_agent() {
  for (RangeSeries& one : range_.series) {
    one.times_ns.clear();
    one.values.clear();
    one.min.clear();
    one.max.clear();
    one.counts.clear();
  }
  spare_ = std::move(range_.series);
  range_.series.clear();
}

Range RangeBuilder::finish() {
  (void)finish_agent();
  return std::move(range_);
}

}  // namespace monitor::analysis::history
