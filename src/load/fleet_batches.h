// Batches of a whole fleet of simulated agents, made when they are sent: what all agents have in common (series and
// their order) is encoded once, and a batch costs its envelope and its values. Each agent's values walk on their own.
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
  // Values of one agent, and what drives them.
  struct Values {
    uint64_t state = 1;            // never 0
    std::vector<uint16_t> levels;  // of each series
  };

  explicit FleetBatches(size_t points);

  Values begin(uint64_t seed) const;
  // A batch of one tick at `time_ns`, with the next values; `since_ns` is the tick before.
  std::string make(const metrics::Envelope& envelope, int64_t time_ns, int64_t since_ns, Values& values);
  // One without a tick.
  std::string heartbeat(const metrics::Envelope& envelope);
  size_t points() const { return kinds_.size(); }

 private:
  enum class Kind : uint8_t { kShare, kPages, kLimit, kRate };
  static int64_t next(Kind kind, uint16_t& level, uint64_t& state);

  std::vector<Kind> kinds_;
  std::string series_;   // as they are in every batch
  std::string indices_;  // of the first frame
  metrics::SeriesTable table_;
  metrics::BatchEncoder envelopes_{table_};  // of nothing but the envelope
  std::string packed_;
  std::string frame_;
};

}  // namespace monitor::load
