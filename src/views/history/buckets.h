// The buckets of one agent that are being filled: the newest of each width, and one more for what is late. They are
// written with every commit, so that rows and read position never disagree. Not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "views/history/codec.h"
#include "views/history/resolution.h"

namespace monitor::analysis::history {

// The rows that buckets are read from and written to.
class BucketRows {
 public:
  virtual ~BucketRows() = default;
  // The bytes that are there; empty when there are none.
  virtual Result<std::string> read(int64_t width, int64_t agent, int64_t bucket) = 0;
  virtual Status write(int64_t width, int64_t agent, int64_t bucket, const std::string& cells) = 0;
};

class Buckets {
 public:
  // A value of each series, by rising index.
  using Values = std::vector<std::pair<uint32_t, double>>;

  explicit Buckets(int64_t agent) : agent_(agent) {}
  Status add(int64_t time_ns, const Values& values, BucketRows& rows);
  Status write(BucketRows& rows);

 private:
  struct Bucket {
    int64_t begin = 0;
    bool used = false;
    bool dirty = false;
    uint64_t turn = 0;               // when it was last used
    std::vector<IndexedCell> cells;  // by index
  };
  using Pair = std::array<Bucket, 2>;

  Result<Bucket*> find(int64_t width, Pair& pair, int64_t begin, BucketRows& rows);
  Status write_one(int64_t width, Bucket& bucket, BucketRows& rows) const;

  const int64_t agent_;
  uint64_t turn_ = 0;
  std::array<Pair, kReduced.size()> open_;
};

}  // namespace monitor::analysis::history
