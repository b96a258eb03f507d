#include "bin/analysis/recorded_facts.h"

#include <utility>

#include "base/clock.h"
#include "ui/web/facts_recorder.h"

namespace monitor {

namespace {

// As `serve` does.
constexpr int64_t kEvery = 10 * kNanosPerSecond;

}  // namespace

void RecordedFacts::apply(const metriclog::Record& record, const metrics::Batch& batch) {
  Partition& partition = partitions_[record.partition];
  if (partition.next_ns == 0) partition.next_ns = (record.time_ns / kEvery + 1) * kEvery;
  write_until(record.partition, partition, record.time_ns);
  partition.fleet.apply(record, batch);
}

Status RecordedFacts::finish(int64_t until_ns) {
  for (auto& [number, partition] : partitions_) write_until(number, partition, until_ns);
  return status_;
}

void RecordedFacts::write_until(int32_t number, Partition& partition, int64_t until_ns) {
  if (!status_) return;
  if (!partition.writer) {
    auto writer = analysis::history::AgentFactsWriter::open(path_);
    if (!writer) {
      status_ = writer.error();
      return;
    }
    partition.writer = std::move(*writer);
  }
  for (; partition.next_ns <= until_ns && status_; partition.next_ns += kEvery) {
    const int64_t now = partition.next_ns;
    const auto judge = [now](const analysis::LiveAgent& agent) {
      return analysis::judge(agent, now, analysis::Presence::kUnknown).health;
    };
    // A row is identified by its time: partitions differ by nanoseconds, which no query sees.
    status_ = partition.writer->add(now + number, analysis::web::facts_of(partition.fleet, ledger_, now, judge));
  }
}

}  // namespace monitor
