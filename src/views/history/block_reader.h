// Reads sealed blocks and open ticks, for requests. Not thread-safe; the database must outlive it. The caller opens and
// ends the transactions.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "views/history/block.h"
#include "views/history/database.h"
#include "views/history/open_ticks.h"
#include "views/history/range.h"

namespace monitor::analysis::history {

class BlockReader {
 public:
  explicit BlockReader(Database& db) : db_(db) {}

  // Adds the values that the range selects, from an agent's blocks. Errors: those of the disk, kDataLoss for a damaged
  // block, kResourceExhausted.
  Status read_blocks(int64_t agent, RangeBuilder& range);
  // An agent's open ticks in the order of their times, ticks of the same time in that of their arrival. Valid until the
  // next call or forget().
  Result<std::span<const OpenTick>> open_ticks(int64_t agent);
  // Call when a transaction ends: the open ticks that were read may be blocks in the next one.
  void forget() {
    groups_.clear();
    kept_bytes_ = 0;
  }

 private:
  struct Found {
    int64_t id = 0;
    int64_t begin_ns = 0;
  };
  Status prepare();
  Status find(int64_t agent, const RangeBuilder& range);
  Status read_block(const Found& block, RangeBuilder& range);
  Status read_column(const Found& block, int64_t row, std::string_view bytes, RangeBuilder& range);
  Status read_wanted(const Found& block, RangeBuilder& range);
  Status damaged(const Found& block, const char* what) const;

  Database& db_;
  bool prepared_ = false;
  Statement find_, row_, rows_;
  std::map<int64_t, OpenRows> groups_;  // their ticks by agent and time
  size_t kept_bytes_ = 0;
  // Kept to reuse their memory.
  std::vector<Found> found_;
  std::vector<uint32_t> wanted_;
  std::vector<int64_t> times_;
  BlockColumn column_;
};

}  // namespace monitor::analysis::history
