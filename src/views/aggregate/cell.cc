#include "views/aggregate/cell.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <tuple>
#include <utility>

#include "base/protowire.h"
#include "base/saturating.h"

namespace monitor::analysis {

namespace {

// Fields of a cell.
enum : uint32_t {
  kCount = 1,
  kSum = 2,
  kRest = 3,
  kMin = 4,
  kMax = 5,
  kFirstTime = 6,
  kLastTime = 7,
  kFirst = 8,
  kLast = 9,
  kSketch = 10,
  kRun = 11,
};
// Fields of a run.
enum : uint32_t {
  kSeries = 1,
  kCounter = 2,
  kIncarnation = 3,
  kFirstSequence = 4,
  kLastSequence = 5,
  kRunFirstTime = 6,
  kRunLastTime = 7,
  kRunFirst = 8,
  kRunLast = 9,
  kIncrease = 10,
};

void put_double(std::string& out, uint32_t field, double value) {
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  protowire::put_sfixed64(out, field, static_cast<int64_t>(bits));
}

double step(double from, double to) { return to >= from ? to - from : to; }

auto place(const ValueRun& run) { return std::tuple(run.partition, run.series, run.first_ns); }

// Appends a later run.
void join(ValueRun& run, const ValueRun& later) {
  run.increase += step(run.last, later.first) + later.increase;
  run.last = later.last;
  run.last_ns = later.last_ns;
  run.first_sequence = std::min(run.first_sequence, later.first_sequence);
  run.last_sequence = std::max(run.last_sequence, later.last_sequence);
}

bool follows(const ValueRun& run, const ValueRun& later) {
  return run.incarnation == later.incarnation && later.first_ns > run.last_ns &&
         (later.first_sequence == run.last_sequence || later.first_sequence - 1 == run.last_sequence);
}

}  // namespace

// Neumaier's improved Kahan summation ("Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen", ZAMM
// 54, 1974).
void Cell::add_to_sum(double value) {
  const double sum = sum_ + value;
  if (std::isfinite(sum)) {
    rest_ += std::fabs(sum_) >= std::fabs(value) ? (sum_ - sum) + value : (value - sum) + sum_;
  }
  sum_ = sum;
}

void Cell::add(const Sample& sample, Wanted wanted) {
  const double value = sample.value;
  if (std::isnan(value)) return;
  if (count_ == 0) {
    min_ = max_ = first_ = last_ = value;
    first_ns_ = last_ns_ = sample.time_ns;
  } else {
    min_ = std::min(min_, value);
    max_ = std::max(max_, value);
    // Of several series with values of the same time, the largest value counts, whatever comes first.
    if (std::tie(sample.time_ns, value) > std::tie(last_ns_, last_)) {
      last_ns_ = sample.time_ns;
      last_ = value;
    }
    if (sample.time_ns < first_ns_ || (sample.time_ns == first_ns_ && value > first_)) {
      first_ns_ = sample.time_ns;
      first_ = value;
    }
  }
  ++count_;
  add_to_sum(value);
  if (wanted.quantiles) {
    if (!sketch_) sketch_ = std::make_unique<sketch::DDSketch>();
    sketch_->add(value);
  }
  if (wanted.rates) add_to_runs(sample);
}

size_t Cell::first_run_of(uint32_t series) const {
  if (runs_.size() == 1) return runs_[0].series < series ? 1 : 0;
  const auto at = std::ranges::lower_bound(runs_, series, {}, &ValueRun::series);
  return static_cast<size_t>(at - runs_.begin());
}

void Cell::add_to_runs(const Sample& s) {
  const size_t begin = first_run_of(s.series);
  const ValueRun one{.series = s.series,
                     .counter = s.counter,
                     .incarnation = s.incarnation,
                     .first_sequence = s.sequence,
                     .last_sequence = s.sequence,
                     .first_ns = s.time_ns,
                     .last_ns = s.time_ns,
                     .first = s.value,
                     .last = s.value};
  size_t at = begin;
  // Almost always, the value follows the only run.
  while (at < runs_.size() && runs_[at].series == s.series && runs_[at].first_ns < s.time_ns) ++at;
  ValueRun* const before = at > begin ? &runs_[at - 1] : nullptr;
  if (before != nullptr && s.time_ns <= before->last_ns) return;  // within joined runs
  if (at < runs_.size() && runs_[at].series == s.series && runs_[at].first_ns == s.time_ns) return;
  if (before != nullptr && (!s.counter || follows(*before, one))) {
    join(*before, one);
    return join_neighbours(at - 1);
  }
  runs_.insert(runs_.begin() + static_cast<std::ptrdiff_t>(at), one);
  join_neighbours(at);
  limit_runs(begin);
}

// Joins the run with its successor, if nothing can come between them. A gauge's rate only needs the ends.
void Cell::join_neighbours(size_t at) {
  if (at + 1 >= runs_.size()) return;
  const ValueRun& next = runs_[at + 1];
  if (next.series != runs_[at].series || (next.counter && !follows(runs_[at], next))) return;
  join(runs_[at], next);
  runs_.erase(runs_.begin() + static_cast<std::ptrdiff_t>(at) + 1);
}

void Cell::limit_runs(size_t begin) {
  const size_t end = begin + kMaxRunsOfSeries;
  if (end >= runs_.size() || runs_[end].series != runs_[begin].series) return;
  join(runs_[begin], runs_[begin + 1]);
  runs_.erase(runs_.begin() + static_cast<std::ptrdiff_t>(begin) + 1);
}

void Cell::merge(const Cell& other, int32_t partition) {
  if (other.count_ == 0) return;
  if (count_ == 0) {
    min_ = other.min_;
    max_ = other.max_;
    std::tie(first_ns_, first_, last_ns_, last_) = std::tie(other.first_ns_, other.first_, other.last_ns_, other.last_);
  } else {
    min_ = std::min(min_, other.min_);
    max_ = std::max(max_, other.max_);
    if (std::tie(other.last_ns_, other.last_) > std::tie(last_ns_, last_)) {
      std::tie(last_ns_, last_) = std::tie(other.last_ns_, other.last_);
    }
    if (other.first_ns_ < first_ns_ || (other.first_ns_ == first_ns_ && other.first_ > first_)) {
      std::tie(first_ns_, first_) = std::tie(other.first_ns_, other.first_);
    }
  }
  add_saturating(count_, other.count_);
  add_to_sum(other.sum_);
  rest_ += other.rest_;
  if (other.sketch_) {
    if (!sketch_) sketch_ = std::make_unique<sketch::DDSketch>();
    sketch_->merge(*other.sketch_);
  }
  const auto middle = static_cast<std::ptrdiff_t>(runs_.size());
  runs_.insert(runs_.end(), other.runs_.begin(), other.runs_.end());
  for (auto it = runs_.begin() + middle; it != runs_.end(); ++it) it->partition = partition;
  std::inplace_merge(runs_.begin(), runs_.begin() + middle, runs_.end(),
                     [](const ValueRun& a, const ValueRun& b) { return place(a) < place(b); });
}

// The sum of the rates of all series. Each is its increase between its first and its last value, by their distance.
double Cell::rate() const {
  double sum = std::nan("");
  for (size_t i = 0; i < runs_.size();) {
    ValueRun all = runs_[i++];
    while (i < runs_.size() && runs_[i].series == all.series && runs_[i].partition == all.partition) {
      join(all, runs_[i++]);
    }
    if (all.last_ns <= all.first_ns) continue;
    const double seconds = static_cast<double>(all.last_ns - all.first_ns) / 1e9;
    const double own = (all.counter ? all.increase : all.last - all.first) / seconds;
    sum = std::isnan(sum) ? own : sum + own;
  }
  return sum;
}

bool Cell::is_within(int64_t begin_ns, int64_t end_ns) const {
  const auto lies = [=](int64_t first_ns, int64_t last_ns) { return first_ns >= begin_ns && last_ns < end_ns; };
  return lies(first_ns_, last_ns_) &&
         std::ranges::all_of(runs_, [&](const ValueRun& run) { return lies(run.first_ns, run.last_ns); });
}

double Cell::value(const Stat& stat) const {
  const double sum = std::isfinite(sum_) ? sum_ + rest_ : sum_;
  switch (stat.kind) {
    case Stat::Kind::kCount:
      return static_cast<double>(count_);
    case Stat::Kind::kAvg:
      return count_ == 0 ? std::nan("") : std::clamp(sum / static_cast<double>(count_), min_, max_);
    case Stat::Kind::kSum:
      return sum;
    case Stat::Kind::kMin:
      return count_ == 0 ? std::nan("") : min_;
    case Stat::Kind::kMax:
      return count_ == 0 ? std::nan("") : max_;
    case Stat::Kind::kFirst:
      return count_ == 0 ? std::nan("") : first_;
    case Stat::Kind::kLast:
      return count_ == 0 ? std::nan("") : last_;
    case Stat::Kind::kRate:
      return rate();
    case Stat::Kind::kQuantile:
      break;
  }
  if (!sketch_ || count_ == 0) return std::nan("");
  // The extremes are known exactly.
  if (stat.quantile == 0) return min_;
  if (stat.quantile == 1) return max_;
  return std::clamp(sketch_->quantile(stat.quantile), min_, max_);
}

void Cell::encode(std::string& out) const {
  protowire::put_uint64(out, kCount, count_);
  put_double(out, kSum, sum_);
  put_double(out, kRest, rest_);
  put_double(out, kMin, min_);
  put_double(out, kMax, max_);
  protowire::put_sfixed64(out, kFirstTime, first_ns_);
  protowire::put_sfixed64(out, kLastTime, last_ns_);
  put_double(out, kFirst, first_);
  put_double(out, kLast, last_);
  std::string bytes;
  if (sketch_) {
    sketch_->encode(bytes);
    protowire::put_message(out, kSketch, bytes);
  }
  for (const ValueRun& run : runs_) {
    bytes.clear();
    protowire::put_uint64(bytes, kSeries, run.series);
    protowire::put_uint64(bytes, kCounter, run.counter ? 1 : 0);
    protowire::put_sfixed64(bytes, kIncarnation, static_cast<int64_t>(run.incarnation));
    protowire::put_uint64(bytes, kFirstSequence, run.first_sequence);
    protowire::put_uint64(bytes, kLastSequence, run.last_sequence);
    protowire::put_sfixed64(bytes, kRunFirstTime, run.first_ns);
    protowire::put_sfixed64(bytes, kRunLastTime, run.last_ns);
    put_double(bytes, kRunFirst, run.first);
    put_double(bytes, kRunLast, run.last);
    put_double(bytes, kIncrease, run.increase);
    protowire::put_message(out, kRun, bytes);
  }
}

namespace {

bool decode_run(std::string_view bytes, ValueRun& run) {
  protowire::Reader reader(bytes);
  while (const auto field = reader.next()) {
    if (field->number == kSeries && field->value <= UINT32_MAX) run.series = static_cast<uint32_t>(field->value);
    if (field->number == kSeries && field->value > UINT32_MAX) return false;
    if (field->number == kCounter) run.counter = field->value != 0;
    if (field->number == kIncarnation) run.incarnation = field->value;
    if (field->number == kFirstSequence) run.first_sequence = field->value;
    if (field->number == kLastSequence) run.last_sequence = field->value;
    if (field->number == kRunFirstTime) run.first_ns = field->as_signed();
    if (field->number == kRunLastTime) run.last_ns = field->as_signed();
    if (field->number == kRunFirst) run.first = field->as_double();
    if (field->number == kRunLast) run.last = field->as_double();
    if (field->number == kIncrease) run.increase = field->as_double();
  }
  return !reader.failed() && run.first_ns <= run.last_ns && run.first_sequence <= run.last_sequence;
}

}  // namespace

Result<Cell> Cell::decode(std::string_view bytes, size_t series) {
  const Error bad(Code::kDataLoss, "aggregates: a cell is malformed");
  Cell cell;
  protowire::Reader reader(bytes);
  while (const auto field = reader.next()) {
    if (field->number == kCount) cell.count_ = field->value;
    if (field->number == kSum) cell.sum_ = field->as_double();
    if (field->number == kRest) cell.rest_ = field->as_double();
    if (field->number == kMin) cell.min_ = field->as_double();
    if (field->number == kMax) cell.max_ = field->as_double();
    if (field->number == kFirstTime) cell.first_ns_ = field->as_signed();
    if (field->number == kLastTime) cell.last_ns_ = field->as_signed();
    if (field->number == kFirst) cell.first_ = field->as_double();
    if (field->number == kLast) cell.last_ = field->as_double();
    if (field->number == kSketch) {
      auto sketch = sketch::DDSketch::decode(field->bytes);
      if (!sketch) return sketch.error();
      cell.sketch_ = std::make_unique<sketch::DDSketch>(std::move(*sketch));
    }
    if (field->number == kRun) {
      ValueRun run;
      if (!decode_run(field->bytes, run) || run.series >= series) return bad;
      if (!cell.runs_.empty() && place(run) <= place(cell.runs_.back())) return bad;
      cell.runs_.push_back(run);
    }
  }
  const bool ordered = cell.min_ <= cell.max_ && cell.first_ns_ <= cell.last_ns_;
  if (reader.failed() || cell.count_ == 0 || !ordered) return bad;
  return cell;
}

}  // namespace monitor::analysis
