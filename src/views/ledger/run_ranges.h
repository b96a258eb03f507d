// The sequences of one incarnation as ranges, each with what became of its batches. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "views/ledger/report.h"

namespace monitor::analysis {

struct RunRange {
  std::string_view kind;  // stored, dropped, waiting, missing, elsewhere, expired, unread
  uint64_t first = 0;
  uint64_t last = 0;
  uint64_t batches = 0;            // may be fewer than sequences: the stored ones of a summed up drop are not in it
  std::optional<uint64_t> points;  // nothing: unknown
  std::string stage;               // of a drop
  std::string reason;
  int64_t first_time_ns = 0;  // of the lost ticks; 0: unknown
  int64_t last_time_ns = 0;
  int64_t since_ns = 0;  // since when it is missing, by the log's clock; 0: it is not
};

struct RunDetail {
  static constexpr size_t kMostRanges = 500;

  LedgerRow row;
  std::vector<RunRange> ranges;  // by their first sequence; only the newest ones
  size_t older = 0;              // how many ranges are left out
  std::vector<RecentLosses::Kind> losses;
};

// Nothing if the ledger has no such run. `incarnation`: 16 bytes.
std::optional<RunDetail> detail_of(const Ledger& ledger, const std::string& agent, const std::string& incarnation,
                                   const ReportOptions& options);

// One object, without a newline.
std::string to_json(const RunDetail& detail);

}  // namespace monitor::analysis
