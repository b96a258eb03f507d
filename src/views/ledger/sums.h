// What became of everything that an incarnation made, as amounts that add up: made = stored + dropped + waiting +
// missing + elsewhere + expired + unread. Pure.
#pragma once

#include <cstdint>

#include "views/ledger/account.h"

namespace monitor::analysis {

struct LedgerRow;

struct LedgerSums {
  struct Amount {
    uint64_t batches = 0;
    uint64_t points = 0;
  };
  // Batches: up to the highest sequence that is known to exist. Points: until the newest stored batch was closed, and
  // those of later batches that are known to be dropped.
  Amount made;
  Amount stored;
  Amount dropped;
  Amount waiting;
  Amount missing;
  Amount elsewhere;
  Amount expired;
  Amount unread;  // before the part of the log that was read
  // The points of some batches that are not stored are known only together, and are divided among their outcomes.
  bool estimated = false;
};

// `row` must have its ranges and drops already. Completes the points of drops that do not name them, such as those of
// damaged batches, as far as the batches around them tell.
LedgerSums sums_of(const Account& account, LedgerRow& row);

}  // namespace monitor::analysis
