// A ledger that is read from a log: up to where the log ended when reading began, and on from there. It blocks the
// thread that calls it; `stop` may be set, and the reader woken, from any other.
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
  int64_t until_ns = INT64_MAX;               // by the log's time: what it took then or later is left out
  int64_t timeout_ns = 10 * kNanosPerSecond;  // for the log to be reached, and to give more while it has more
  bool keep = false;                          // in a group: keep what was read in snapshots
  bool stands_by = false;                     // in a group of which others have all of the log: waits for its turn
};

class LedgerReading final : private View {
 public:
  // What is given must outlive it.
  LedgerReading(const LedgerReadingOptions& options, metriclog::LogReader& reader, const Clock& clock,
                telemetry::Registry& registry, const std::atomic<bool>& stop);

  // OK too when it was stopped before. Errors: kUnavailable when the log could not be reached, or gave nothing, for the
  // time; kAborted when other members of the group have all of it, or it is another kind of reader's group; what the
  // reader calls final.
  Status read_to_end();
  // What came meanwhile, after a wait of at most `timeout_ns`.
  Status read_more(int64_t timeout_ns);
  // Keeps where the group has come to, at once.
  void store() { store(true); }

  const Ledger& ledger() const { return ledger_; }
  // Identity of the log that is read, for ReportOptions.
  std::string log() const { return reader_.identity(); }
  uint64_t skipped() const { return consumer_.metrics().skipped.value(); }
  uint64_t lost() const { return consumer_.metrics().lost.value(); }

 private:
  // Itself a view: it notes that there is progress.
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
  int64_t progress_ns_ = 0;
  int64_t stored_ns_ = 0;
};

}  // namespace monitor::analysis
