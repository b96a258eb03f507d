// Drops: what was lost, with a reason. Totals for the counters that every batch carries, and records, each of which
// rides in every batch until one that carries it is acknowledged.
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
  // What an earlier process left to be told: told again from now on, not counted again.
  void restore(const std::vector<metrics::Drop>& drops);

  // For the batch with this sequence: totals, and the records, which it carries from now on.
  std::vector<metrics::DropTotal> totals() const;
  std::vector<metrics::Drop> carry(uint64_t sequence);
  // That batch is stored: what it carried need not be told again.
  void carried(uint64_t sequence);

  bool empty() const { return records_.empty(); }
  std::vector<metrics::Drop> records() const;

 private:
  struct Record {
    metrics::Drop drop;
    uint64_t first_carrier = 0;  // 0: not yet sent, may still grow
  };

  void record(metrics::Drop drop);
  static void merge(metrics::Drop& into, const metrics::Drop& from);

  // Beyond this many records, new ones grow even if they were sent: the batch must stay small. Beyond the second
  // number, even over a gap: what is between and was stored counts as stored. The third are the most in one batch.
  static constexpr size_t kCrowd = 64;
  static constexpr size_t kMaxRecords = 1024;
  static constexpr size_t kMaxCarried = 256;

  std::string incarnation_;
  std::map<std::tuple<std::string, std::string, std::string>, metrics::DropTotal> totals_;  // by stage, reason, plugin
  std::vector<Record> records_;
};

}  // namespace monitor::agent
