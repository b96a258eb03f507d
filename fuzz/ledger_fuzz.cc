// Reader snapshots, which anyone with write access to the log's Kafka can forge: the list of seen batches and the
// ledger. A snapshot that parses must survive a round trip, and must be evaluated and printed.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "consume/dedupe.h"
#include "views/ledger/ledger.h"
#include "views/ledger/ledger_table.h"
#include "views/ledger/report.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace monitor::analysis;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto dedupe = Dedupe::decode(bytes)) {
    std::string once;
    std::string twice;
    auto pruned = *dedupe;
    pruned.prune();
    dedupe->encode(once);
    const auto again = Dedupe::decode(once);
    if (!again) std::abort();
    again->encode(twice);
    if (once != twice) std::abort();
  }
  Ledger ledger;
  if (!ledger.decode(0, ledger.version(), bytes)) return 0;
  for (const LedgerRow& row : report(ledger, {})) (void)to_json(row);
  (void)to_table(report(ledger, {}));
  std::string once;
  std::string twice;
  ledger.encode(0, once);
  Ledger again;
  if (!again.decode(0, again.version(), once)) std::abort();
  again.encode(0, twice);
  if (once != twice) std::abort();
  return 0;
}
