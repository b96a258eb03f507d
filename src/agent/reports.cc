#include "agent/reports.h"

#include "base/log.h"

namespace monitor::agent {

namespace {
// Limit on the ends of runs that one batch reports.
constexpr size_t kMaxEnds = 64;
}  // namespace

Reports::Reports(const std::string& incarnation) : incarnation_(incarnation), drops_(incarnation), logs_(incarnation) {}

void Reports::carry(metrics::Envelope& envelope) {
  envelope.counters.dropped = drops_.totals();
  envelope.drops = drops_.carry(envelope.sequence);
  envelope.elsewhere = logs_.carry(envelope.sequence);
  for (End& one : ends_) {
    if (envelope.ended.size() == kMaxEnds) break;
    if (one.first_carrier == 0) one.first_carrier = envelope.sequence;
    envelope.ended.push_back(one.end);
  }
}

void Reports::on_stored(const BatchInfo& batch) {
  if (batch.incarnation != incarnation_) return;
  drops_.carried(batch.sequence);
  logs_.carried(batch.sequence);
  std::erase_if(ends_, [&](const End& one) { return one.first_carrier != 0 && one.first_carrier <= batch.sequence; });
}

void Reports::on_lost(const metrics::Drop& drop) {
  log_warning("batches dropped", {{"stage", drop.stage},
                                  {"reason", drop.reason},
                                  {"batches", drop.batches},
                                  {"sequence", drop.first_sequence},
                                  {"points", drop.points}});
  drops_.dropped(drop);
}

void Reports::on_log_named(std::string_view log) {
  const std::string before = logs_.log();
  if (!logs_.named(log, [this] { return spool_->settled(); }) || before.empty() || log.empty()) return;
  log_info("the server writes a different metric log than before; reporting this to its ledger",
           {{"log", log}, {"before", before}});
}

void Reports::on_recovered(const PendingReports& reports, const std::vector<SettledSequences>& earlier) {
  logs_.restore(reports, earlier);
  drops_.restore(reports.drops);
  for (const metrics::IncarnationEnd& end : reports.ended) ends_.push_back({end, 0});
}

PendingReports Reports::pending_reports() const {
  PendingReports result{drops_.records(), {}, logs_.log(), logs_.records()};
  for (const End& one : ends_) result.ended.push_back(one.end);
  return result;
}

}  // namespace monitor::agent
