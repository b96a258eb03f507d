#include "views/ledger/ledger.h"

#include <utility>

namespace monitor::analysis {

void Ledger::fresh(int32_t partition, const metriclog::Extent& extent) {
  const Hole hole = extent.next > extent.begin ? Hole::kUnread : extent.cut ? Hole::kExpired : Hole::kNone;
  partitions_.insert_or_assign(partition, PartitionLedger(hole));
}

Status Ledger::decode(int32_t partition, uint32_t /*version*/, std::string_view bytes) {
  auto decoded = PartitionLedger::decode(bytes);
  if (!decoded) return decoded.error();
  partitions_.insert_or_assign(partition, std::move(*decoded));
  return {};
}

void Ledger::apply(const metriclog::Record& record, const metrics::Batch& batch) {
  if (record.time_ns < until_ns_) partitions_[record.partition].apply(record, batch);
}

void Ledger::apply_copy(const metriclog::Record& record, const metrics::Batch& batch) {
  if (record.time_ns < until_ns_) partitions_[record.partition].apply_copy(record, batch);
}

void Ledger::apply_conflict(const metriclog::Record& record, const metrics::Batch& batch, int64_t first_offset) {
  if (record.time_ns < until_ns_) partitions_[record.partition].apply_conflict(record, batch, first_offset);
}

void Ledger::on_lost(int32_t partition, int64_t /*from*/, int64_t /*to*/) { partitions_[partition].lose(); }

void Ledger::encode(int32_t partition, std::string& out) {
  PartitionLedger& ledger = partitions_[partition];
  ledger.prune();
  ledger.encode(out);
}

}  // namespace monitor::analysis
