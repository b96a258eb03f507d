// Whether the log holds what a fleet of simulated agents sent, as the ledger sees it.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "bin/load/summary.h"
#include "metriclog/log.h"
#include "views/ledger/report.h"

namespace monitor {

// Every acknowledged batch must be stored, none without a claim to it be missing, and none be in the log more often
// than it was sent. `rows` may be of others, too.
Verified compare(const std::vector<load::AgentOutcome>& outcomes, const std::vector<analysis::LedgerRow>& rows);

// Reads the log from the reader's start to its end. Errors: as of analysis::LedgerReading.
Result<Verified> verify(const std::vector<load::AgentOutcome>& outcomes, metriclog::LogReader& reader,
                        const Clock& clock, const std::atomic<bool>& stop);

}  // namespace monitor
