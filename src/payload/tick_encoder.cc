#include "payload/tick_encoder.h"

#include <algorithm>
#include <bit>

#include "metrics/decode.h"
#include "payload/cursor.h"
#include "payload/set_writer.h"

namespace monitor::payload {

namespace {

using metrics::Point;
using metrics::SeriesId;
using metrics::Tick;

constexpr metrics::BatchLimits kLimits;
constexpr size_t kPerFrame = 40;  // times, and the number of the shape
constexpr size_t kPerSeries = 8;  // what v2 may take more than v1 for a series and the head of its column
constexpr size_t kPerRun = 6;     // of a shape
constexpr size_t kShapesSought = 16;
// A growth has more digits than its rate, if the interval is long.
constexpr size_t kPerRate = 3;

size_t zigzag_size(uint64_t difference) { return varint_size(protowire::zigzag(static_cast<int64_t>(difference))); }

}  // namespace

const TickEncoder::Known& TickEncoder::know(SeriesId id) {
  if (id >= known_.size()) known_.resize(table_.bound());
  Known& known = known_[id];
  if (known.known) return known;
  const metrics::Series& series = table_.at(id);
  known.known = true;
  known.integer = series.integer;
  known.row = row_of(series);
  known.rate = known.row != kNoRow && is_rate(table()[known.row].form);
  known.v1_bytes = static_cast<uint32_t>(metrics::series_bytes(series));
  return known;
}

bool TickEncoder::is_last_shape(const Tick& tick, size_t first) const {
  if (empty() || tick.points.size() - first != last_ids_.size()) return false;
  for (size_t i = 0; i < last_ids_.size(); ++i) {
    if (tick.points[first + i].series != last_ids_[i]) return false;
  }
  return true;
}

// Gives the series of the points from `first` on an index, as many as fit; returns how many points.
size_t TickEncoder::take(const Tick& tick, size_t first) {
  if (empty() && epoch_ != table_.epoch()) {
    known_.clear();
    epoch_ = table_.epoch();
  }
  if (frames() >= kLimits.frames || points() >= kLimits.points) return 0;
  const size_t most = std::min(tick.points.size() - first, kLimits.points - points());
  const auto fits = [this](size_t count) {
    const size_t frame = metrics::worst_frame_bytes(count);
    return std::max(size_.v1, size_.v2) + frame + metrics::kEnvelopeReserve <= kLimits.batch_bytes;
  };
  if (is_last_shape(tick, first) && most == last_ids_.size() && fits(most)) return most;
  size_t taken = 0;
  while (taken < most) {
    const size_t series = used_.size();
    const Size size = size_;
    const SeriesId id = tick.points[first + taken].series;
    if (know(id).index == kNone) {
      known_[id].index = static_cast<uint32_t>(used_.size());
      known_[id].last = 0;
      used_.push_back(id);
      size_.v1 += known_[id].v1_bytes;
      size_.v2 += known_[id].v1_bytes + kPerSeries;
    }
    if (!fits(taken + 1) || used_.size() > kLimits.series) {
      give_back(series, size);
      break;
    }
    ++taken;
  }
  return taken;
}

// Takes the indexes back that were given last.
void TickEncoder::give_back(size_t series, const Size& size) {
  while (used_.size() > series) {
    known_[used_.back()].index = kNone;
    used_.pop_back();
  }
  size_ = size;
}

// Writes a frame with `count` points from `first` on, whose series have indexes (take()).
void TickEncoder::put_frame(const Tick& tick, size_t first, size_t count, bool continued) {
  FrameHead head{tick.time_ns, tick.rates_since_ns, 0, 0, continued, values_.size()};
  head.elapsed_ns = head.usual_elapsed_ns();
  head.shape = shape_of(tick, first, count);
  size_.v1 += kPerFrame;
  size_.v2 += kPerFrame;
  for (size_t i = first; i < first + count; ++i) put_value(tick.points[i]);
  frames_.push_back(head);
  count_frame(tick.time_ns, continued, count);
}

uint32_t TickEncoder::shape_of(const Tick& tick, size_t first, size_t count) {
  if (is_last_shape(tick, first) && count == last_ids_.size()) return frames_.back().shape;
  shape_.clear();
  last_ids_.clear();
  size_t runs = 1;
  for (size_t i = first; i < first + count; ++i) {
    const uint32_t index = known_[tick.points[i].series].index;
    if (!shape_.empty() && index != shape_.back() + 1) ++runs;
    shape_.push_back(index);
    last_ids_.push_back(tick.points[i].series);
    size_.v1 += varint_size(index);
  }
  const size_t sought = std::min(shapes_.size(), kShapesSought);
  const auto found = std::find(shapes_.end() - static_cast<std::ptrdiff_t>(sought), shapes_.end(), shape_);
  const auto number = static_cast<uint32_t>(found - shapes_.begin());
  if (found == shapes_.end()) {
    size_.v2 += runs * kPerRun;
    shapes_.push_back(shape_);
  }
  return number;
}

void TickEncoder::put_value(const Point& point) {
  Known& known = known_[point.series];
  if (!known.integer) {
    size_.v1 += sizeof(double);
    size_.v2 += sizeof(double);
    values_.push_back(std::bit_cast<uint64_t>(point.real));
    return;
  }
  const auto value = static_cast<uint64_t>(point.integer);
  const size_t difference = zigzag_size(value - known.last);
  size_.v1 += difference;
  // A column of growths may vary where the rates do not, because the intervals do.
  size_.v2 += known.rate ? std::max(difference, zigzag_size(value) + kPerRate) : difference;
  known.last = value;
  values_.push_back(value);
}

bool TickEncoder::add(const Tick& tick, bool continued) {
  if (tick.points.empty()) return true;
  const size_t series = used_.size();
  const Size size = size_;
  if (take(tick, 0) < tick.points.size()) {
    give_back(series, size);
    return false;
  }
  put_frame(tick, 0, tick.points.size(), continued);
  return true;
}

size_t TickEncoder::add_part(const Tick& tick, size_t first) {
  const size_t taken = take(tick, first);
  if (taken > 0) put_frame(tick, first, taken, first > 0);
  return taken;
}

void TickEncoder::refresh_set() {
  if (set_.epoch == epoch_ && set_.ids == used_) return;
  set_ = Set{.ids = used_, .epoch = epoch_, .plan = {}, .standard = {}, .inline_form = {}};
  std::vector<uint32_t> rows;
  rows.reserve(used_.size());
  for (const SeriesId id : used_) {
    rows.push_back(known_[id].row);
    set_.plan.add(known_[id].integer, known_[id].row);
  }
  set_.plan.finish(rows);
  set_.standard = standard_set_of_rows(rows);
  if (set_.standard) return;
  SetWriter writer;
  for (size_t i = 0; i < used_.size(); ++i) writer.add(table_.at(used_[i]), rows[i]);
  set_.inline_form = writer.finish();
}

Result<std::string> TickEncoder::close(const metrics::Envelope& envelope) {
  Content content{envelope, frames_, shapes_, values_};
  if (!empty()) {
    refresh_set();
    content.plan = &set_.plan;
    content.standard = set_.standard;
    content.inline_set = set_.inline_form;
  }
  auto record = writer_.write(content);
  clear();
  return record;
}

void TickEncoder::clear() {
  for (const SeriesId id : used_) known_[id].index = kNone;
  used_.clear();
  last_ids_.clear();
  size_ = {};
  frames_.clear();
  shapes_.clear();
  values_.clear();
  count_nothing();
}

}  // namespace monitor::payload
