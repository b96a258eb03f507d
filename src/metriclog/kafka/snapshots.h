// A group's snapshots in the compacted topic beside the data's: key GROUP/PARTITION, in the partition of that number.
//
// One thread. Every call connects anew or keeps its connection, and blocks until it is done or the time is over.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "metriclog/kafka/client.h"
#include "metriclog/log.h"

namespace monitor::metriclog::kafka {

struct StoredSnapshot {
  Snapshot snapshot;
  int64_t at = -1;          // its offset in the state topic
  std::string author = {};  // which reader stored it; empty: not known
};

// Where to begin looking for a partition's snapshot: nothing before it is newer. 0: at the beginning.
using Hints = std::map<int32_t, int64_t>;

class Snapshots {
 public:
  // `author`: unique to this reader.
  Snapshots(KafkaOptions kafka, std::string group, std::string author);
  ~Snapshots();
  Snapshots(const Snapshots&) = delete;
  Snapshots& operator=(const Snapshots&) = delete;

  // The newest of each partition in `hints`, as far as there is one.
  Result<std::map<int32_t, StoredSnapshot>> load(const Hints& hints, int64_t timeout_ns) const;
  // Durable when it returns OK; the offsets are those in the state topic.
  Result<Hints> store(std::span<const Snapshot> snapshots, int64_t timeout_ns);

 private:
  std::string key(int32_t partition) const;

  const KafkaOptions kafka_;
  const std::string group_;
  const std::string author_;
  const std::string topic_;
  Handle producer_;  // made when it is first needed
  Queue confirmations_;
  uintptr_t calls_ = 0;
};

// The form of a snapshot in its record: protocol buffers, next_offset = 1 (uint64), state = 2 (bytes), author = 3
// (bytes), identity = 4 (bytes; metriclog/kafka/identity.h).
std::string encode_snapshot(const Snapshot& snapshot, std::string_view author);
Result<StoredSnapshot> decode_snapshot(int32_t partition, std::string_view bytes);

}  // namespace monitor::metriclog::kafka
