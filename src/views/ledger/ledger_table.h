// The ledger for people: a table of at most 100 columns, but for names that are longer than that. Pure.
#pragma once

#include <string>
#include <vector>

#include "views/ledger/report.h"

namespace monitor::analysis {

// With a heading, and a last line that says whether anything is missing.
std::string to_table(const std::vector<LedgerRow>& rows);

}  // namespace monitor::analysis
