#include "ui/ledger/run.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "base/saturating.h"
#include "views/ledger/ledger_table.h"
#include "views/ledger/report.h"

namespace monitor::analysis {

namespace {

constexpr int64_t kShowEvery = 1 * kNanosPerSecond;
constexpr const char* kClearScreen = "\x1b[H\x1b[2J";

struct LedgerMetrics {
  explicit LedgerMetrics(telemetry::Registry& r)
      : incarnations(r.gauge("monitor_analysis_ledger_incarnations", "Runs of agents in the ledger.")),
        missing(r.gauge("monitor_analysis_ledger_missing_batches", "Batches that are missing.")),
        elsewhere(r.gauge("monitor_analysis_ledger_elsewhere_batches",
                          "Batches that were acknowledged or dropped while the agent's server wrote another log.")),
        expired(r.gauge("monitor_analysis_ledger_expired_batches",
                        "Batches that the log's retention deleted before they were read.")),
        waiting(r.gauge("monitor_analysis_ledger_waiting_batches", "Batches that are known but not stored yet.")),
        dropped(r.gauge("monitor_analysis_ledger_dropped_batches", "Batches that agents report as dropped.")),
        conflicting(
            r.gauge("monitor_analysis_ledger_conflicting_batches",
                    "Records whose batch is implausible, or contradicts another batch with the same sequence.")),
        conflicts(r.gauge("monitor_analysis_ledger_conflicts", "Runs that shared their agent id with another.")) {}

  void show(const std::vector<LedgerRow>& rows) {
    const auto sum = [&rows](auto&& of) {
      double all = 0;
      for (const LedgerRow& row : rows) all += static_cast<double>(of(row));
      return all;
    };
    incarnations.set(static_cast<double>(rows.size()));
    missing.set(sum([](const LedgerRow& row) { return count(row.missing); }));
    elsewhere.set(sum([](const LedgerRow& row) { return count(row.elsewhere); }));
    expired.set(sum([](const LedgerRow& row) { return count(row.expired); }));
    waiting.set(sum([](const LedgerRow& row) { return count(row.waiting); }));
    dropped.set(sum([](const LedgerRow& row) { return dropped_batches(row); }));
    conflicting.set(sum([](const LedgerRow& row) { return row.conflicts; }));
    conflicts.set(static_cast<double>(std::ranges::count_if(rows, [](const auto& row) { return row.conflict; })));
  }

  telemetry::Gauge& incarnations;
  telemetry::Gauge& missing;
  telemetry::Gauge& elsewhere;
  telemetry::Gauge& expired;
  telemetry::Gauge& waiting;
  telemetry::Gauge& dropped;
  telemetry::Gauge& conflicting;
  telemetry::Gauge& conflicts;
};

class Run {
 public:
  Run(const LedgerOptions& options, metriclog::LogReader& reader, Output& output, const Clock& clock,
      telemetry::Registry& registry, const std::atomic<bool>& stop)
      : options_(options),
        output_(output),
        clock_(clock),
        stop_(stop),
        reading_(options.reading, reader, clock, registry, stop),
        metrics_(registry) {}

  Result<LedgerSummary> run() {
    if (const Status read = reading_.read_to_end(); !read) return read.error();
    if (stop_) return summary_;
    summary_.complete = true;
    Status shown = show();
    while (options_.watch && !stop_ && shown) {
      if (const Status read = reading_.read_more(kShowEvery); !read) return read.error();
      if (clock_.mono_ns() - shown_ns_ >= kShowEvery) shown = show();
    }
    if (!shown && shown.error().code() != Code::kCancelled) return shown.error();
    reading_.store();
    return summary_;
  }

 private:
  Status show() {
    shown_ns_ = clock_.mono_ns();
    const int64_t now = std::min(clock_.wall_ns(), options_.reading.until_ns);
    const auto rows = report(reading_.ledger(), {options_.agent, now, options_.missing_after_ns, reading_.log()});
    metrics_.show(rows);
    summarize(rows);
    const std::string text = options_.format == LedgerOptions::Format::kJson ? changed_lines(rows) : table(rows);
    return text.empty() ? Status() : output_.write(text);
  }

  void summarize(const std::vector<LedgerRow>& rows) {
    summary_.incarnations = rows.size();
    summary_.missing = summary_.elsewhere = summary_.duplicates = summary_.conflicts = summary_.contradicted = 0;
    for (const LedgerRow& row : rows) {
      add_saturating(summary_.missing, count(row.missing));
      add_saturating(summary_.elsewhere, count(row.elsewhere));
      add_saturating(summary_.duplicates, row.duplicates);
      add_saturating(summary_.conflicts, row.conflicts);
      if (contradicted(row)) ++summary_.contradicted;
    }
    summary_.skipped = reading_.skipped();
    summary_.lost = reading_.lost();
  }

  std::string changed_lines(const std::vector<LedgerRow>& rows) {
    std::string text;
    for (const LedgerRow& row : rows) {
      std::string line = to_json(row) + "\n";
      std::string& before = lines_[{row.agent, row.incarnation}];
      if (line == before) continue;
      text += line;
      before = std::move(line);
    }
    return text;
  }

  std::string table(const std::vector<LedgerRow>& rows) {
    std::string text = to_table(rows);
    if (text == table_) return "";
    const bool first = std::exchange(table_, text).empty();
    if (!options_.watch) return text;
    if (options_.terminal) return kClearScreen + text;
    return (first ? "" : "\n") + text;
  }

  const LedgerOptions& options_;
  Output& output_;
  const Clock& clock_;
  const std::atomic<bool>& stop_;
  LedgerReading reading_;
  LedgerMetrics metrics_;
  LedgerSummary summary_;
  int64_t shown_ns_ = 0;
  std::string table_;
  std::map<std::pair<std::string, std::string>, std::string>
      lines_;  // by agent and incarnation: the line that was printed last
};

}  // namespace

Result<LedgerSummary> run_ledger(const LedgerOptions& options, metriclog::LogReader& reader, Output& output,
                                 const Clock& clock, telemetry::Registry& registry, const std::atomic<bool>& stop) {
  return Run(options, reader, output, clock, registry, stop).run();
}

}  // namespace monitor::analysis
