#include "metrics/encode.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>

#include "base/protowire.h"
#include "metrics/decode.h"

namespace monitor::metrics {

namespace {

using namespace protowire;

// What every server accepts.
constexpr BatchLimits kLimits;

void put_label(std::string& out, uint32_t field, const std::string& key, const std::string& value) {
  std::string label;
  put_bytes(label, 1, key);
  put_bytes(label, 2, value);
  put_message(out, field, label);
}

void put_series(std::string& out, const Series& series) {
  std::string bytes;
  put_bytes(bytes, 1, series.name);
  for (const auto& [key, value] : series.labels) put_label(bytes, 2, key, value);
  put_bytes(bytes, 3, series.unit);
  put_uint64(bytes, 4, static_cast<uint64_t>(series.kind));
  put_uint64(bytes, 5, series.integer ? 1 : 0);
  if (series.integer) put_sint64(bytes, 6, series.exponent);
  put_message(out, 10, bytes);
}

void put_counters(std::string& out, const Counters& counters) {
  std::string bytes;
  put_uint64(bytes, 1, counters.ticks_due);
  put_uint64(bytes, 2, counters.ticks_missed);
  put_uint64(bytes, 3, counters.points_made);
  for (const Drop& total : counters.dropped) {
    std::string entry;
    put_bytes(entry, 1, total.stage);
    put_bytes(entry, 2, total.reason);
    put_uint64(entry, 3, total.batches);
    put_uint64(entry, 4, total.ticks);
    put_uint64(entry, 5, total.points);
    put_bytes(entry, 6, total.plugin);
    put_message(bytes, 4, entry);
  }
  put_bytes(out, 8, bytes);
}

void put_head(std::string& out, const Envelope& envelope) {
  put_bytes(out, 1, envelope.agent_id);
  put_bytes(out, 2, envelope.hostname);
  put_bytes(out, 3, envelope.incarnation);
  put_uint64(out, 4, envelope.sequence);
  put_uint64(out, 5, envelope.config_revision);
  for (const auto& [key, value] : envelope.resource) put_label(out, 6, key, value);
  put_uint64(out, 7, envelope.first_unacked);
  put_counters(out, envelope.counters);
  for (const Drop& drop : envelope.drops) put_message(out, 9, encode_drop(drop));
}

void put_tail(std::string& out, const Envelope& envelope) {
  put_sfixed64(out, 12, envelope.appended_ns);
  for (const IncarnationEnd& end : envelope.ended) put_message(out, 13, encode_end(end));
  for (const OlderIncarnation& older : envelope.older) {
    std::string bytes;
    put_bytes(bytes, 1, older.incarnation);
    put_uint64(bytes, 2, older.first_unacked);
    put_message(out, 14, bytes);
  }
  put_bytes(out, 15, envelope.agent_version);
  put_uint64(out, 16, envelope.send_every_ns);
  put_uint64(out, 17, envelope.final_batch ? 1 : 0);
  for (const Elsewhere& one : envelope.elsewhere) put_message(out, 18, encode_elsewhere(one));
}

size_t varint_bytes(uint64_t value) { return (static_cast<size_t>(std::bit_width(value | 1)) + 6) / 7; }

size_t field_bytes(size_t bytes) { return bytes == 0 ? 0 : 1 + varint_bytes(bytes) + bytes; }

}  // namespace

size_t series_bytes(const Series& series) {
  size_t bytes = field_bytes(series.name.size()) + field_bytes(series.unit.size()) + (series.integer ? 2 : 0) +
                 (series.kind == Kind::kGauge ? 0 : 2) + (series.integer && series.exponent != 0 ? 2 : 0);
  for (const auto& [key, value] : series.labels) {
    const size_t label = field_bytes(key.size()) + field_bytes(value.size());
    bytes += 1 + varint_bytes(label) + label;
  }
  return 1 + varint_bytes(bytes) + bytes;
}

size_t worst_frame_bytes(size_t points) { return 64 + points * (5 + 10); }

std::string encode_series(const std::vector<Series>& all) {
  std::string out;
  for (const Series& series : all) put_series(out, series);
  return out;
}

std::string encode_drop(const Drop& drop) {
  std::string bytes;
  put_bytes(bytes, 1, drop.incarnation);
  put_bytes(bytes, 2, drop.stage);
  put_bytes(bytes, 3, drop.reason);
  put_bytes(bytes, 4, drop.plugin);
  put_uint64(bytes, 5, drop.batches);
  put_uint64(bytes, 6, drop.ticks);
  put_uint64(bytes, 7, drop.points);
  put_uint64(bytes, 8, drop.first_sequence);
  put_uint64(bytes, 9, drop.last_sequence);
  put_sfixed64(bytes, 10, drop.first_time_ns);
  put_sfixed64(bytes, 11, drop.last_time_ns);
  return bytes;
}

std::string encode_elsewhere(const Elsewhere& elsewhere) {
  std::string bytes;
  put_bytes(bytes, 1, elsewhere.incarnation);
  put_bytes(bytes, 2, elsewhere.log);
  put_uint64(bytes, 3, elsewhere.first_sequence);
  put_uint64(bytes, 4, elsewhere.last_sequence);
  return bytes;
}

std::string encode_end(const IncarnationEnd& end) {
  std::string bytes;
  put_bytes(bytes, 1, end.incarnation);
  put_uint64(bytes, 2, end.last_sequence);
  put_sfixed64(bytes, 3, end.last_time_ns);
  put_uint64(bytes, 4, end.clean ? 1 : 0);
  return bytes;
}

// Assigns the series its index in this batch.
void BatchEncoder::index(SeriesId id) {
  if (id >= index_.size()) {
    index_.resize(table_.bound(), kNone);
    last_value_.resize(table_.bound(), 0);
  }
  if (index_[id] != kNone) return;
  index_[id] = static_cast<uint32_t>(used_.size());
  last_value_[id] = 0;
  used_.push_back(id);
  put_series(series_bytes_, table_.at(id));
}

// Removes the indexes that were assigned last.
void BatchEncoder::give_back(size_t series, size_t bytes) {
  while (used_.size() > series) {
    index_[used_.back()] = kNone;
    used_.pop_back();
  }
  series_bytes_.resize(bytes);
}

// Assigns indexes to the series of the points from `first` on, as many as fit; returns how many points.
size_t BatchEncoder::take(const Tick& tick, size_t first) {
  current_.clear();
  if (frames() >= kLimits.frames || points() >= kLimits.points) return 0;
  const size_t most = std::min(tick.points.size() - first, kLimits.points - points());
  while (current_.size() < most) {
    const size_t series = used_.size();
    const size_t bytes = series_bytes_.size();
    const SeriesId id = tick.points[first + current_.size()].series;
    index(id);
    const size_t total =
        series_bytes_.size() + frame_bytes_.size() + worst_frame_bytes(current_.size() + 1) + kEnvelopeReserve;
    if (total > kLimits.batch_bytes || used_.size() > kLimits.series) {
      give_back(series, bytes);
      break;
    }
    current_.push_back(id);
  }
  return current_.size();
}

// Writes a frame with the points from `first` on, up to the last one whose series has an index (take()).
void BatchEncoder::put_frame(const Tick& tick, size_t first, bool continued) {
  const std::span points = std::span(tick.points).subspan(first, current_.size());
  scratch_.clear();
  put_sfixed64(scratch_, 1, tick.time_ns);
  put_sfixed64(scratch_, 2, tick.rates_since_ns);
  if (empty() || current_ != previous_) {
    packed_.clear();
    for (const SeriesId id : current_) put_varint(packed_, index_[id]);
    put_bytes(scratch_, 3, packed_);
  }
  packed_.clear();
  for (const Point& point : points) {
    if (!table_.at(point.series).integer) continue;
    // Unsigned: a difference may wrap, and the reader's sum wraps back.
    const uint64_t delta = static_cast<uint64_t>(point.integer) - static_cast<uint64_t>(last_value_[point.series]);
    put_varint(packed_, zigzag(static_cast<int64_t>(delta)));
    last_value_[point.series] = point.integer;
  }
  put_bytes(scratch_, 4, packed_);
  packed_.clear();
  for (const Point& point : points) {
    if (table_.at(point.series).integer) continue;
    uint64_t bits = 0;
    std::memcpy(&bits, &point.real, sizeof bits);
    put_fixed64(packed_, bits);
  }
  put_bytes(scratch_, 5, packed_);
  put_uint64(scratch_, 6, continued ? 1 : 0);
  put_message(frame_bytes_, 11, scratch_);

  previous_.swap(current_);
  count_frame(tick.time_ns, continued, points.size());
}

bool BatchEncoder::add(const Tick& tick, bool continued) {
  if (tick.points.empty()) return true;  // on the wire an empty list of series means "as in the previous frame"
  const size_t series = used_.size();
  const size_t bytes = series_bytes_.size();
  if (take(tick, 0) < tick.points.size()) {
    give_back(series, bytes);
    return false;
  }
  put_frame(tick, 0, continued);
  return true;
}

size_t BatchEncoder::add_part(const Tick& tick, size_t first) {
  const size_t taken = take(tick, first);
  if (taken > 0) put_frame(tick, first, first > 0);
  return taken;
}

std::string BatchEncoder::finish(const Envelope& envelope) {
  std::string out;
  out.reserve(series_bytes_.size() + frame_bytes_.size() + 512);
  put_head(out, envelope);
  out += series_bytes_;
  out += frame_bytes_;
  put_tail(out, envelope);
  clear();
  return out;
}

void BatchEncoder::clear() {
  for (const SeriesId id : used_) index_[id] = kNone;
  used_.clear();
  previous_.clear();
  series_bytes_.clear();
  frame_bytes_.clear();
  count_nothing();
}

std::string encode_batch(const Batch& batch) {
  SeriesTable table(batch.series.size(), SeriesTable::Edge::kAsIs);
  std::vector<SeriesId> ids;
  ids.reserve(batch.series.size());
  for (const Series& series : batch.series) ids.push_back(table.intern(series).value());
  BatchEncoder encoder(table);
  for (const Frame& frame : batch.frames) {
    Tick tick{frame.time_ns, frame.rates_since_ns, frame.points, 0};
    for (Point& point : tick.points) point.series = ids[point.series];
    if (!encoder.add(tick, frame.continued)) break;
  }
  return encoder.finish(batch);
}

}  // namespace monitor::metrics
