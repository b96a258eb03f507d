// FleetBatches: the batches of a fleet of simulated agents, generated when they are sent. The part that all agents
// share (series and their order) is encoded once, so a batch costs only its envelope and its values. The values of each
// agent drift independently.
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "metrics/batch.h"
#include "metrics/encode.h"

namespace monitor::load {

class FleetBatches {
 public:
  // The values of one agent, and the state of their random generator.
  struct Values {
    uint64_t state = 1;            // never 0
    std::vector<uint16_t> levels;  // per series
  };

  explicit FleetBatches(size_t points);

  Values begin(uint64_t seed) const;
  // A batch with one tick at `time_ns` and the next values; `since_ns` is the previous tick.
  std::string make(const metrics::Envelope& envelope, int64_t time_ns, int64_t since_ns, Values& values);
  // A batch without a tick.
  std::string heartbeat(const metrics::Envelope& envelope);
  size_t points() const { return kinds_.size(); }

 private:
  enum class Kind : uint8_t { kShare, kPages, kLimit, kRate };
  static int64_t next(Kind kind, uint16_t& level, uint64_t& state);

  std::vector<Kind> kinds_;
  std::string series_;   // the encoded series, the same in every batch
  std::string indices_;  // series indexes of the first frame
  metrics::SeriesTable table_;
  metrics::BatchEncoder envelopes_{table_};  // encodes only the envelope
  std::string packed_;
  std::string frame_;
};

}  // namespace monitor::load
