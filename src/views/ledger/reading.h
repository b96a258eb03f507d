// LedgerReading: builds a ledger from a log, up to the end that the log had at the start, and then further. Blocks the
// calling thread; other threads may set `stop` and wake the reader.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "consume/consumer.h"
#include "metriclog/log.h"
#include "telemetry/registry.h"
#include "views/ledger/ledger.h"

namespace monitor::analysis {

struct LedgerReadingOptions {
  int64_t until_ns = INT64_MAX;               // by the log's time: records from then on are omitted
  int64_t timeout_ns = 10 * kNanosPerSecond;  // for reaching the log, and for each further delivery until its end
  bool keep = false;                          // in a group: store what was read in snapshots
  bool stands_by = false;  // in a group whose other members hold the whole log: wait instead of failing
};

class LedgerReading final : private View {
 public:
  // The arguments must outlive it.
  LedgerReading(const LedgerReadingOptions& options, metriclog::LogReader& reader, const Clock& clock,
                telemetry::Registry& registry, const std::atomic<bool>& stop);

  // Also returns OK if it was stopped before the end. kUnavailable: the log could not be reached, or delivered
  // nothing, within the timeout. kAborted: other members of the group hold all partitions, or the group belongs to
  // another kind of reader. Other errors: a permanent error of the reader.
  Status read_to_end();
  // Reads what has arrived in the meantime; waits at most `timeout_ns`.
  Status read_more(int64_t timeout_ns);
  // Stores the group's position at once.
  void store() { store(true); }

  const Ledger& ledger() const { return ledger_; }
  // Identity of the log being read, for ReportOptions.
  std::string log() const { return reader_.identity(); }
  uint64_t skipped() const { return consumer_.metrics().skipped.value(); }
  uint64_t lost() const { return consumer_.metrics().lost.value(); }

 private:
  // Itself a view, to notice progress.
  void apply(const metriclog::Record& /*record*/, const metrics::Batch& /*batch*/) override { progress(); }
  bool needs_values() const override { return false; }
  void on_skipped(const metriclog::Record& /*record*/, const Error& /*why*/) override { progress(); }
  void on_lost(int32_t /*partition*/, int64_t /*from*/, int64_t /*to*/) override { progress(); }
  void on_trouble(const std::string& text) override { trouble_ = text; }
  void on_recovered() override { trouble_.clear(); }
  void on_assigned(int32_t /*partition*/) override { progress(); }

  void progress();
  bool standing_by() const;
  Status nothing_came() const;
  void store(bool now);

  const LedgerReadingOptions options_;
  const metriclog::LogReader& reader_;
  const Clock& clock_;
  const std::atomic<bool>& stop_;
  Ledger ledger_;
  Consumer consumer_;
  std::string trouble_;
  bool progressed_ = false;  // in the current step
  int64_t progress_ns_ = 0;
  int64_t stored_ns_ = 0;
};

}  // namespace monitor::analysis
