// RecordedFacts: what a server would have known of each agent (agent_facts.h) while a log was written, for
// agent_state() and its like. Judged by the log's time, from the log alone: what agents report to the configuration is
// not in it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "consume/view.h"
#include "views/fleet/fleet.h"
#include "views/history/agent_facts.h"
#include "views/ledger/ledger.h"

namespace monitor {

// Must come before the ledger among a consumer's views, so that it sees what was known before a record. The ledger must
// outlive it.
class RecordedFacts final : public analysis::View {
 public:
  RecordedFacts(std::string path, const analysis::Ledger& ledger) : path_(std::move(path)), ledger_(ledger) {}

  bool needs_values() const override { return false; }
  void apply(const metriclog::Record& record, const metrics::Batch& batch) override;

  // Writes down what was known until then. Errors: the first one of the file since the beginning.
  Status finish(int64_t until_ns);

 private:
  // Partitions are read at different speeds, so each has its own fleet and its own time.
  struct Partition {
    analysis::Fleet fleet;
    std::unique_ptr<analysis::history::AgentFactsWriter> writer;
    int64_t next_ns = 0;
  };

  void write_until(int32_t number, Partition& partition, int64_t until_ns);

  const std::string path_;
  const analysis::Ledger& ledger_;
  std::map<int32_t, Partition> partitions_;
  Status status_;
};

}  // namespace monitor
