// The ledger for people: a table of at most 100 columns, unless names are longer. Pure.
#pragma once

#include <string>
#include <vector>

#include "views/ledger/report.h"

namespace monitor::analysis {

// Includes a heading, and a last line that says whether anything is missing.
std::string to_table(const std::vector<LedgerRow>& rows);

}  // namespace monitor::analysis
