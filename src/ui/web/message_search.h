// Searches the metric log for records, in either direction, and continues where an earlier search stopped. Each search
// examines a bounded number of records, and only of the partitions and times that it asks for.
//
// Calls block. Pure apart from the browser.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "metriclog/browser.h"

namespace monitor::analysis::web {

using Offsets = std::map<int32_t, int64_t>;  // by partition

struct MessageSearch {
  enum class Order : uint8_t { kNewest, kOldest };
  enum class Kind : uint8_t { kAll, kDecoded, kCorrupt };

  int32_t partition = -1;  // -1: all
  std::string agent;       // shell pattern over keys; empty: all
  std::string metric;      // shell pattern over series; empty: all
  Kind kind = Kind::kAll;
  int64_t since_ns = 0;  // by the log's clock
  int64_t until_ns = INT64_MAX;
  int64_t tick_since_ns = 0;  // has a tick in this range, by the agent's clock
  int64_t tick_until_ns = INT64_MAX;
  int64_t offset = -1;  // in `partition`: the first record that may be found
  Order order = Order::kNewest;
  Offsets cursor;  // where the previous result stopped, in the same order
  size_t limit = 50;

  bool needs_decoding() const {
    return !metric.empty() || kind != Kind::kAll || tick_since_ns > 0 || tick_until_ns != INT64_MAX;
  }
};

struct FoundMessages {
  std::vector<metriclog::Record> records;  // in the order of the search
  size_t looked_at = 0;
  int64_t left = 0;  // records of the searched range that were not examined
  // Newest first: the partitions that are not finished, and the offsets below which to continue. Oldest first: all
  // partitions, and the offsets from which on to continue, also with records that are yet to come.
  Offsets cursor;
  Offsets follow;  // the cursor of a search, oldest first, for what comes after this search's range
};

// How many records one search examines: of those whose key matches it looks at the key only, or decodes them.
inline constexpr size_t kMostKeys = 16'000;
inline constexpr size_t kMostDecoded = 4'000;

// Parses "0:17,1:4" (partition:offset). An empty text gives an empty cursor.
Result<Offsets> parse_cursor(const std::string& text);
std::string cursor_text(const Offsets& cursor);

Result<FoundMessages> search_messages(metriclog::LogBrowser& browser, const MessageSearch& search);

}  // namespace monitor::analysis::web
