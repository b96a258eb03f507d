// LagHistory: how far the readers of the metric log were behind, for the past hour in steps of 10 s and for the past
// day in steps of 2 min. In memory: it begins with the program. Bounded by the number of readers, at most kMostReaders.
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"

namespace monitor::analysis::web {

class LagHistory {
 public:
  static constexpr size_t kMostReaders = 100;
  static constexpr int64_t kStep = 10 * kNanosPerSecond;
  static constexpr int64_t kFineFor = 3600 * kNanosPerSecond;
  static constexpr int64_t kCoarseStep = 120 * kNanosPerSecond;
  static constexpr int64_t kKeptFor = int64_t{24} * 3600 * kNanosPerSecond;

  // `stored`: the sum of the partitions' ends. `lags`: by reader, records not read yet in all partitions together.
  struct Sample {
    int64_t time_ns = 0;
    int64_t stored = 0;
    std::map<std::string, int64_t> lags = {};
  };
  // Times must rise; an older sample replaces nothing and is ignored.
  void add(Sample sample);

  // The samples of the past `span_ns` before `now_ns`, oldest first; steps of 10 s if the span is at most an hour. A
  // coarse step has the largest lag of each reader in it, and the newest time.
  struct Result {
    int64_t step_ns = kStep;
    std::vector<const Sample*> samples;  // valid until the next add()
  };
  Result past(int64_t span_ns, int64_t now_ns) const;
  // Time of the oldest sample that is kept; 0: none.
  int64_t since_ns() const;

 private:
  std::deque<Sample> fine_;
  std::deque<Sample> coarse_;
};

}  // namespace monitor::analysis::web
