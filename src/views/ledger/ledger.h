// Ledger: accounts for every batch in all partitions that a reader holds. A Consumer feeds it and stores it in its
// snapshots. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "consume/view.h"
#include "views/ledger/partition_ledger.h"

namespace monitor::analysis {

class Ledger final : public View {
 public:
  // Omits records that the log stored at `until_ns` or later.
  explicit Ledger(int64_t until_ns = INT64_MAX) : until_ns_(until_ns) {}

  std::string_view kind() const override { return "ledger"; }
  bool needs_values() const override { return false; }
  void fresh(int32_t partition, const metriclog::Extent& extent) override;
  Status decode(int32_t partition, uint32_t version, std::string_view bytes) override;
  void on_revoked(int32_t partition) override { partitions_.erase(partition); }
  void apply(const metriclog::Record& record, const metrics::Batch& batch) override;
  void apply_copy(const metriclog::Record& record, const metrics::Batch& batch) override;
  void apply_conflict(const metriclog::Record& record, const metrics::Batch& batch, int64_t first_offset) override;
  void on_lost(int32_t partition, int64_t from, int64_t to) override;
  void encode(int32_t partition, std::string& out) override;

  const std::map<int32_t, PartitionLedger>& partitions() const { return partitions_; }

 private:
  const int64_t until_ns_;
  std::map<int32_t, PartitionLedger> partitions_;
};

}  // namespace monitor::analysis
