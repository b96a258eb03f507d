#include "bin/load/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "views/ledger/reading.h"

namespace monitor {

namespace {

constexpr size_t kMaxFaults = 20;
constexpr int64_t kPatience = 30 * kNanosPerSecond;

void check(const load::AgentOutcome& outcome, const analysis::LedgerRow& row, Verified& verified) {
  const auto fault = [&](const std::string& what) {
    if (verified.faults.size() < kMaxFaults) verified.faults.push_back(fmt::format("{}: {}", outcome.id, what));
  };
  verified.stored += row.batches_stored;
  // Missing are gaps below the last stored batch, and acknowledged batches above it.
  const uint64_t lost = outcome.acknowledged - std::min(outcome.acknowledged, row.batches_stored);
  if (const uint64_t missing = std::max(lost, analysis::count(row.missing)); missing > 0) {
    verified.missing += missing;
    const std::string first = row.missing.empty() ? "" : fmt::format(", the first {}", row.missing.front().first);
    fault(fmt::format("{} missing{}; {} made, {} acknowledged, {} stored", missing, first, outcome.made,
                      outcome.acknowledged, row.batches_stored));
  }
  if (row.duplicates > outcome.resent) {
    verified.twice += row.duplicates - outcome.resent;
    fault(fmt::format("the log has more copies than were sent: {} duplicates, {} sent again",
                      row.duplicates - outcome.resent, row.duplicates, outcome.resent));
  }
  if (row.last_sequence > outcome.made) {
    fault(fmt::format("sequence {} is stored, but the last batch made is {}", row.last_sequence, outcome.made));
  }
}

}  // namespace

Verified compare(const std::vector<load::AgentOutcome>& outcomes, const std::vector<analysis::LedgerRow>& rows) {
  std::map<std::string_view, const analysis::LedgerRow*> by_incarnation;
  for (const analysis::LedgerRow& row : rows) by_incarnation[row.incarnation] = &row;
  Verified verified;
  const analysis::LedgerRow nothing;
  for (const load::AgentOutcome& outcome : outcomes) {
    const auto it = by_incarnation.find(outcome.incarnation);
    check(outcome, it == by_incarnation.end() ? nothing : *it->second, verified);
  }
  return verified;
}

Result<Verified> verify(const std::vector<load::AgentOutcome>& outcomes, metriclog::LogReader& reader,
                        const Clock& clock, const std::atomic<bool>& stop) {
  telemetry::Registry registry;
  analysis::LedgerReading reading({.timeout_ns = kPatience}, reader, clock, registry, stop);
  if (const Status read = reading.read_to_end(); !read) return read.error();
  if (stop) return Error(Code::kCancelled, "stopped before the end of the log");
  return compare(outcomes, analysis::report(reading.ledger(), {"", clock.wall_ns(), 0, reading.log()}));
}

}  // namespace monitor
