// PartitionLedger: the accounts of all agents whose batches are in one partition, built record by record. Everything
// that an agent's batches state about one another (ends, older incarnations, drops) stays within the partition, as an
// agent's records do. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "consume/log_time.h"
#include "metriclog/log.h"
#include "metrics/batch.h"
#include "views/ledger/account.h"

namespace monitor::analysis {

// The accounts of one agent, by incarnation.
using Accounts = std::map<std::string, Account, std::less<>>;

class PartitionLedger {
 public:
  // As long as batches of an agent may still arrive. After that, prune() forgets accounts without a newer record.
  static constexpr int64_t kKeepNs = int64_t{8} * 24 * 3600 * kNanosPerSecond;

  PartitionLedger() = default;
  // `hole`: why records before the first one applied are unknown.
  explicit PartitionLedger(Hole hole) : hole_(hole) {}

  void apply(const metriclog::Record& record, const metrics::Batch& batch);
  void apply_copy(const metriclog::Record& record, const metrics::Batch& batch);
  // Another batch with its sequence is counted, from the record at `first_offset`.
  void apply_conflict(const metriclog::Record& record, const metrics::Batch& batch, int64_t first_offset);
  // Retention deleted records before they were read.
  void lose();
  void prune();

  const std::map<std::string, Accounts, std::less<>>& agents() const { return agents_; }

  // Protocol Buffers' wire form. decode(): kDataLoss.
  void encode(std::string& out) const;
  static Result<PartitionLedger> decode(std::string_view bytes);

 private:
  Account& account(Accounts& accounts, std::string_view incarnation) const;
  Account& spoken_of(const metriclog::Record& record, const metrics::Batch& batch, std::string_view incarnation,
                     Accounts& accounts) const;
  void take_drops(const metriclog::Record& record, const metrics::Batch& batch, Account& own, Accounts& accounts) const;
  void take_elsewhere(const metriclog::Record& record, const metrics::Batch& batch, Accounts& accounts) const;
  void take_ends(const metriclog::Record& record, const metrics::Batch& batch, Accounts& accounts) const;

  Hole hole_ = Hole::kNone;
  LogTime now_;
  std::map<std::string, Accounts, std::less<>> agents_;
};

}  // namespace monitor::analysis
