// The open buckets of one agent: the newest of each width, and one more for late values. Every commit writes them, so
// that rows and read position always match. Not thread-safe.
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

// The rows from which buckets are read and to which they are written.
class BucketRows {
 public:
  virtual ~BucketRows() = default;
  // The stored bytes; empty if there are none.
  virtual Result<std::string> read(int64_t width, int64_t agent, int64_t bucket) = 0;
  virtual Status write(int64_t width, int64_t agent, int64_t bucket, const std::string& cells) = 0;
};

class Buckets {
 public:
  // Values by index of their series, ascending.
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
    std::vector<IndexedCell> cells;  // ascending by index
  };
  using Pair = std::array<Bucket, 2>;

  Result<Bucket*> find(int64_t width, Pair& pair, int64_t begin, BucketRows& rows);
  Status write_one(int64_t width, Bucket& bucket, BucketRows& rows) const;

  const int64_t agent_;
  uint64_t turn_ = 0;
  std::array<Pair, kReduced.size()> open_;
};

}  // namespace monitor::analysis::history
