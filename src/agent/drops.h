// Drops: counts lost ticks and batches by reason. Every batch carries the totals. It also carries each record of a loss
// until a batch with that record is acknowledged.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "metrics/batch.h"
#include "plugins/chain/chain.h"

namespace monitor::agent {

class Drops final : public DropSink {
 public:
  explicit Drops(std::string incarnation) : incarnation_(std::move(incarnation)) {}

  void dropped(metrics::Drop drop) override;
  // Restores the pending records of an earlier process: reports them again, without counting them again.
  void restore(const std::vector<metrics::Drop>& drops);

  // Totals and records for the batch with this sequence, which carries them from then on.
  std::vector<metrics::Drop> totals() const;
  std::vector<metrics::Drop> carry(uint64_t sequence);
  // The batch is stored, so its records need not be reported again.
  void carried(uint64_t sequence);

  bool empty() const { return records_.empty(); }
  std::vector<metrics::Drop> records() const;

 private:
  struct Record {
    metrics::Drop drop;
    uint64_t first_carrier = 0;  // 0: not sent yet, so it may still grow
  };

  void record(metrics::Drop drop);
  static void merge(metrics::Drop& into, const metrics::Drop& from);

  // Beyond kCrowd records, new losses extend existing records even if those were sent, because a batch must stay small.
  // Beyond the second limit they do so even across a gap, where stored batches still count as stored. The third is the
  // maximum in one batch.
  static constexpr size_t kCrowd = 64;
  static constexpr size_t kMaxRecords = 1024;
  static constexpr size_t kMaxCarried = 256;

  std::string incarnation_;
  std::map<std::tuple<std::string, std::string, std::string>, metrics::Drop> totals_;  // by stage, reason, plugin
  std::vector<Record> records_;
};

}  // namespace monitor::agent
