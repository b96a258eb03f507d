// LogBrowser: inspects a metric log without changing it: extents of partitions, positions of groups, and records at any
// position.
//
// Not thread-safe. Calls block, for some seconds if a broker does not respond. Errors are transient unless stated
// otherwise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "metriclog/heartbeat.h"
#include "metriclog/log.h"

namespace monitor::metriclog {

struct PartitionExtent {
  int32_t partition = 0;
  int64_t begin = 0;   // oldest record that retention has not deleted
  int64_t end = 0;     // after the newest record
  int64_t bytes = -1;  // on disk; -1: the log does not tell
};

// A part of a partition: the records from `next` up to, but not including, `end`.
struct Span {
  int32_t partition = 0;
  int64_t next = 0;
  int64_t end = 0;
};

// Whether a record is wanted, by its key.
using KeyFilter = std::function<bool(std::string_view key)>;
// Takes a record. False: no more are wanted.
using TakeRecord = std::function<bool(Record record)>;

struct GroupPosition {
  std::string group;
  int32_t partition = 0;
  int64_t next_offset = 0;  // first record after the stored position
};

class LogBrowser {
 public:
  virtual ~LogBrowser() = default;

  virtual Result<std::vector<PartitionExtent>> partitions() = 0;
  // Ordered by group and partition.
  virtual Result<std::vector<GroupPosition>> groups() = 0;
  // Returns at most `limit` records, starting with the first one at or after `from`.
  virtual Result<std::vector<Record>> read(int32_t partition, int64_t from, size_t limit) = 0;
  // Passes the wanted records of all spans to `take`, those of one partition in the order of their offsets. Records
  // that are not wanted are not copied. The spans must lie within the extents of their partitions, at most one in each.
  // Moves `next` of each span behind the last record that was examined: to `end`, or less if `take` wants no more, or
  // if the log was too slow.
  virtual Status scan(std::vector<Span>& spans, const KeyFilter& wanted, const TakeRecord& take) = 0;
  // The offset of the first record stored at or after this time; the end if there is none.
  virtual Result<int64_t> offset_at(int32_t partition, int64_t time_ns) = 0;
  // The newest heartbeat of each writer in the last minutes. Empty if the log has no heartbeats, because an older
  // server writes it.
  virtual Result<std::vector<Heartbeat>> heartbeats() = 0;
  // The partition, out of `partitions` (at least 1), for records with this non-empty key.
  virtual int32_t partition_of(std::string_view key, size_t partitions) const = 0;
};

}  // namespace monitor::metriclog
