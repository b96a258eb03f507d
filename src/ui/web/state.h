// State that the thread reading the log shares with the thread serving the page. Lock `mutex` for every access, and
// only briefly, because it delays the reader.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "ui/web/reader_place.h"
#include "views/fleet/fleet.h"
#include "views/ledger/ledger.h"

namespace monitor::analysis::web {

struct LogState {
  std::string identity;  // of the log being read; empty until a partition is assigned
  std::string trouble;   // why the log cannot be read; empty: it can
  int64_t trouble_since_ns = 0;
  int64_t newest_ns = 0;  // when the log stored the newest record that was read
  uint64_t records = 0;
  uint64_t skipped = 0;
  uint64_t lost = 0;
  ReaderPlaces places;     // of the reader, in each partition of which it has read
  bool caught_up = false;  // everything stored before the start has been read
};

struct HistoryState {
  std::string trouble;  // why the history cannot be written; empty: it can
  int64_t trouble_since_ns = 0;
};

struct State {
  std::mutex mutex;
  Fleet fleet;
  Ledger ledger;
  LogState log;
  HistoryState history;
  // Agents that an operator removed, and when. Data that arrived before is not shown, and is deleted from the history.
  std::map<std::string, int64_t, std::less<>> forgotten;
  // Number of the last event whose data is committed to the history.
  uint64_t committed_event = 0;
};

}  // namespace monitor::analysis::web
