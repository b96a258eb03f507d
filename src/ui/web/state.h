// What the thread that reads the log and the one that serves the page share. Lock `mutex` to touch anything in it, and
// not for long: the reader waits meanwhile.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "views/fleet/fleet.h"
#include "views/ledger/ledger.h"

namespace monitor::analysis::web {

struct LogState {
  std::string trouble;  // why it cannot be read now; empty when it can
  int64_t trouble_since_ns = 0;
  int64_t newest_ns = 0;  // when the log took the last record that was read
  uint64_t records = 0;
  uint64_t skipped = 0;
  uint64_t lost = 0;
  bool caught_up = false;  // everything that was there at the start has been read
};

struct HistoryState {
  std::string trouble;  // why it cannot be written now; empty when it can
  int64_t trouble_since_ns = 0;
};

struct State {
  std::mutex mutex;
  Fleet fleet;
  Ledger ledger;
  LogState log;
  HistoryState history;
  // An event up to which everything is committed to the history.
  uint64_t committed_event = 0;
};

}  // namespace monitor::analysis::web
