// LogBrowser: a look into a metric log for people: what its partitions hold, how far its groups are, and records from
// anywhere in it. Nothing is moved or stored by looking.
//
// One thread. Calls block, for at most some seconds where a broker does not answer; errors pass unless said otherwise.
#pragma once

#include <cstddef>
#include <cstdint>
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
  int64_t begin = 0;  // the first record that retention has left
  int64_t end = 0;    // behind the last one
};

struct GroupPosition {
  std::string group;
  int32_t partition = 0;
  int64_t next_offset = 0;  // the first that it has not stored as done
};

class LogBrowser {
 public:
  virtual ~LogBrowser() = default;

  virtual Result<std::vector<PartitionExtent>> partitions() = 0;
  // By group and partition.
  virtual Result<std::vector<GroupPosition>> groups() = 0;
  // At most `limit`, from the first at or after `from` on.
  virtual Result<std::vector<Record>> read(int32_t partition, int64_t from, size_t limit) = 0;
  // The first record that the log took at or after this time; the end when there is none.
  virtual Result<int64_t> offset_at(int32_t partition, int64_t time_ns) = 0;
  // The newest of each writer of the last minutes. None: the log has no heartbeats (an older server writes it).
  virtual Result<std::vector<Heartbeat>> heartbeats() = 0;
  // Which of so many partitions (1 or more) takes the records of this key, which is not empty.
  virtual int32_t partition_of(std::string_view key, size_t partitions) const = 0;
};

}  // namespace monitor::metriclog
