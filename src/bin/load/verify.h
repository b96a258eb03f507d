// Verifies with the ledger that the log has the batches of a simulated fleet.
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

// Every acknowledged batch must be stored, no other batch may be missing without a record, and none may be stored more
// often than it was sent. `rows` may contain other agents.
Verified compare(const std::vector<load::AgentOutcome>& outcomes, const std::vector<analysis::LedgerRow>& rows);

// Reads the log from the reader's start to its end. Errors: as of analysis::LedgerReading.
Result<Verified> verify(const std::vector<load::AgentOutcome>& outcomes, metriclog::LogReader& reader,
                        const Clock& clock, const std::atomic<bool>& stop);

}  // namespace monitor
