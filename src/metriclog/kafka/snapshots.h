// Snapshots: a group's snapshots in the compacted state topic, with the key GROUP/PARTITION, in the partition of that
// number.
//
// Not thread-safe. Calls block until done or timed out.
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
  int64_t at = -1;          // offset in the state topic
  std::string author = {};  // the reader that stored it; empty: unknown
};

// For each partition, an offset in the state topic before which there is no newer snapshot. 0: the start.
using Hints = std::map<int32_t, int64_t>;

class Snapshots {
 public:
  // `author` must be unique to this reader.
  Snapshots(KafkaOptions kafka, std::string group, std::string author);
  ~Snapshots();
  Snapshots(const Snapshots&) = delete;
  Snapshots& operator=(const Snapshots&) = delete;

  // The newest snapshot of each partition in `hints`, if any.
  Result<std::map<int32_t, StoredSnapshot>> load(const Hints& hints, int64_t timeout_ns) const;
  // Durable once it returns OK. Returns the offsets in the state topic.
  Result<Hints> store(std::span<const Snapshot> snapshots, int64_t timeout_ns);

 private:
  std::string key(int32_t partition) const;
  Status make_producer(int64_t timeout_ns);
  // Hands the snapshot to the producer. Its confirmation names `call`.
  Status produce(const Snapshot& snapshot, void* call);

  const KafkaOptions kafka_;
  const std::string group_;
  const std::string author_;
  const std::string topic_;
  Handle producer_;  // created on first use
  Queue confirmations_;
  uintptr_t calls_ = 0;
};

// Encoding of a snapshot as protocol buffers: next_offset = 1 (uint64), state = 2 (bytes), author = 3 (bytes), identity
// = 4 (bytes; metriclog/kafka/identity.h).
std::string encode_snapshot(const Snapshot& snapshot, std::string_view author);
Result<StoredSnapshot> decode_snapshot(int32_t partition, std::string_view bytes);

}  // namespace monitor::metriclog::kafka
