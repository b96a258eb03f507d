// Random batches that use every part of the payload: series of the table and others, kernel-like and arbitrary values,
// frames without some series, split ticks, clocks that jump, drops. One seed, one sequence of batches. For tests.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"
#include "metrics/batch.h"

namespace monitor::payload {

struct RandomBatch {
  metrics::Batch batch;
  std::vector<int64_t> elapsed_ns;  // of each frame; may be empty
};

RandomBatch random_batch(Random& random);

// Everything in the batch, as one line of JSON in which integers and the bits of doubles are exact. Two batches are
// equal if their texts are.
std::string exact_text(const metrics::Batch& batch);

}  // namespace monitor::payload
