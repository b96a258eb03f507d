#include "load/batches.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "base/clock.h"
#include "base/random.h"
#include "load/host_series.h"
#include "metrics/encode.h"
#include "payload/tick_encoder.h"

namespace monitor::load {

namespace {

using metrics::Series;

constexpr int64_t kTick = kNanosPerSecond;
constexpr int64_t kGrid = 10'000;  // of payload v2

std::unique_ptr<metrics::BatchWriter> writer_of(int payload, const metrics::SeriesTable& table) {
  if (payload == 2) return std::make_unique<payload::TickEncoder>(table);
  return std::make_unique<metrics::BatchEncoder>(table);
}

}  // namespace

struct BatchMaker::Host {
  Host(uint64_t seed, BatchShape the_shape) : random(seed), shape(the_shape), writer(writer_of(shape.payload, table)) {
    for (Series& series : host_series(shape.series)) {
      metrics::Point point;
      point.series = table.intern(std::move(series)).value_or(0);
      tick.points.push_back(point);
      level.push_back(random.unit());
    }
    tick.time_ns = shape.begin_ns != 0 ? shape.begin_ns : SystemClock().wall_ns();
    if (shape.payload == 2) tick.time_ns = tick.time_ns / kGrid * kGrid;
  }

  void step() {
    // A real timer is late by some ten microseconds, and never early.
    tick.rates_since_ns = tick.time_ns;
    tick.time_ns += kTick + static_cast<int64_t>(random.below(200'000)) - 100'000;
    if (shape.payload == 2) tick.time_ns = tick.time_ns / kGrid * kGrid;
    for (size_t i = 0; i < level.size(); ++i) {
      level[i] = std::clamp(level[i] + (random.unit() - 0.5) * 0.1, 0.0, 1.0);
      const Series& series = table.at(tick.points[i].series);
      constexpr double kShare = 10'000;
      constexpr double kPages = 4'000'000;
      constexpr double kRate = 20e6;
      if (series.name == "system.memory.limit") {
        tick.points[i].integer = int64_t{16} << 30;
      } else if (series.unit == "1") {
        tick.points[i].integer = static_cast<int64_t>(level[i] * kShare);
      } else if (series.unit == "By") {
        tick.points[i].integer = static_cast<int64_t>(level[i] * kPages) * 4096;
      } else {
        // Most devices are idle most of the time.
        tick.points[i].integer = random.below(3) == 0 ? static_cast<int64_t>(level[i] * random.unit() * kRate) : 0;
      }
    }
  }

  SeededRandom random;
  BatchShape shape;
  metrics::SeriesTable table;
  std::unique_ptr<metrics::BatchWriter> writer;
  metrics::Tick tick;
  std::vector<double> level;
  metrics::Envelope envelope;
  bool counting = true;
};

BatchMaker::BatchMaker(std::string agent_id, uint64_t seed, BatchShape shape)
    : agent_id_(std::move(agent_id)),
      incarnation_(metrics::kIncarnationBytes, '\0'),
      host_(std::make_unique<Host>(seed, shape)) {
  host_->random.fill(incarnation_.data(), incarnation_.size());
  host_->envelope.agent_id = agent_id_;
  host_->envelope.hostname = agent_id_;
  host_->envelope.incarnation = incarnation_;
  host_->envelope.agent_version = "0";
  host_->envelope.send_every_ns = static_cast<uint64_t>(kTick) * shape.ticks;
}

BatchMaker::~BatchMaker() = default;

void BatchMaker::repeat_from(uint64_t sequence) {
  host_->envelope.sequence = sequence - 1;
  host_->envelope.counters.ticks_due = 2 * sequence * host_->shape.ticks;
  host_->envelope.counters.points_made = 2 * sequence * host_->shape.ticks * host_->shape.series;
  host_->counting = false;
}

std::string BatchMaker::next() {
  Host& host = *host_;
  for (size_t i = 0; i < host.shape.ticks; ++i) {
    host.step();
    [[maybe_unused]] const bool fits = host.writer->add(host.tick);
    assert(fits);
  }
  metrics::Envelope& envelope = host.envelope;
  envelope.first_unacked = ++envelope.sequence;
  if (host.counting) {
    envelope.counters.ticks_due += host.shape.ticks;
    envelope.counters.points_made += host.shape.ticks * host.shape.series;
  }
  envelope.appended_ns = host.tick.time_ns;
  return host.writer->close(envelope).value();
}

}  // namespace monitor::load
