#include "load/fleet_batches.h"

#include <algorithm>

#include "base/protowire.h"
#include "load/host_series.h"

namespace monitor::load {

namespace {

// Fields of MetricBatch and its Frame (proto/monitor/v1/metrics.proto).
constexpr uint32_t kSeries = 10;
constexpr uint32_t kFrames = 11;
constexpr uint32_t kTime = 1;
constexpr uint32_t kRatesSince = 2;
constexpr uint32_t kIndices = 3;
constexpr uint32_t kInts = 4;

// xorshift64 (Marsaglia, 2003): fast, and random enough to resemble a host.
uint64_t draw(uint64_t& state) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

}  // namespace

FleetBatches::FleetBatches(size_t points) {
  metrics::Batch batch;
  batch.series = host_series(points);
  metrics::Frame frame;
  for (size_t i = 0; i < batch.series.size(); ++i) {
    const metrics::Series& series = batch.series[i];
    kinds_.push_back(series.name == "system.memory.limit" ? Kind::kLimit
                     : series.unit == "1"                 ? Kind::kShare
                     : series.unit == "By"                ? Kind::kPages
                                                          : Kind::kRate);
    metrics::Point point;
    point.series = static_cast<metrics::SeriesId>(i);
    frame.points.push_back(point);
    protowire::put_varint(indices_, i);
  }
  batch.frames.push_back(std::move(frame));
  const std::string bytes = metrics::encode_batch(batch);
  protowire::Reader reader(bytes);
  while (const auto field = reader.next()) {
    if (field->number == kSeries) protowire::put_message(series_, kSeries, field->bytes);
  }
}

FleetBatches::Values FleetBatches::begin(uint64_t seed) const {
  Values values;
  values.state = seed * 0x9E3779B97F4A7C15U | 1;
  for (size_t i = 0; i < kinds_.size(); ++i) values.levels.push_back(static_cast<uint16_t>(draw(values.state) >> 48));
  return values;
}

int64_t FleetBatches::next(Kind kind, uint16_t& level, uint64_t& state) {
  constexpr int64_t kStep = 3000;
  constexpr int64_t kTop = 65535;
  const uint64_t random = draw(state);
  const int64_t step = static_cast<int64_t>(random % (2 * kStep + 1)) - kStep;
  level = static_cast<uint16_t>(std::clamp<int64_t>(level + step, 0, kTop));
  switch (kind) {
    case Kind::kLimit:
      return int64_t{16} << 30;
    case Kind::kShare:
      return level * int64_t{10'000} / kTop;
    case Kind::kPages:
      return level * int64_t{61} * 4096;
    case Kind::kRate:
      break;
  }
  // Most devices are idle most of the time.
  if ((random >> 40) % 3 != 0) return 0;
  return static_cast<int64_t>((static_cast<uint64_t>(level) * (random >> 48) / 65536) * 305);
}

std::string FleetBatches::make(const metrics::Envelope& envelope, int64_t time_ns, int64_t since_ns, Values& values) {
  packed_.clear();
  for (size_t i = 0; i < kinds_.size(); ++i) {
    protowire::put_varint(packed_, protowire::zigzag(next(kinds_[i], values.levels[i], values.state)));
  }
  frame_.clear();
  protowire::put_sfixed64(frame_, kTime, time_ns);
  protowire::put_sfixed64(frame_, kRatesSince, since_ns);
  protowire::put_bytes(frame_, kIndices, indices_);
  protowire::put_bytes(frame_, kInts, packed_);
  std::string out = envelopes_.finish(envelope);
  out.reserve(out.size() + series_.size() + frame_.size() + 8);
  out += series_;
  protowire::put_message(out, kFrames, frame_);
  return out;
}

std::string FleetBatches::heartbeat(const metrics::Envelope& envelope) { return envelopes_.finish(envelope); }

}  // namespace monitor::load
