// Detects whether a partition is still the one in which a position was taken. Offsets restart when a topic is deleted
// and recreated, and librdkafka 2.0 does not expose topic ids. Therefore a position is stored with an *anchor*, the
// fingerprint of a record: the record at an offset never changes, nor does the broker's timestamp on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "metriclog/kafka/client.h"
#include "metriclog/kafka/kafka_log.h"

namespace monitor::metriclog::kafka {

struct Anchor {
  int64_t offset = -1;  // negative: none
  int64_t time_ms = 0;  // set by the broker or the writer
  uint64_t bytes = 0;   // of the value
  uint32_t check = 0;   // crc32c of the key and the start of the value
  int64_t log_end = 0;  // known end of the partition; not part of the identity

  bool valid() const { return offset >= 0; }
  // True if both identify the same record.
  bool is(const Anchor& other) const {
    return offset == other.offset && time_ms == other.time_ms && bytes == other.bytes && check == other.check;
  }
};

Anchor anchor_of(const rd_kafka_message_t& message);

// Stored as protocol buffers: offset + 1 = 1, time_ms = 2, bytes = 3, check = 4, log_end = 5 (uint64). decode_anchor()
// returns nothing if the bytes are missing or malformed.
std::string encode_anchor(const Anchor& anchor);
std::optional<Anchor> decode_anchor(std::string_view bytes);

// Reads single records with its own client, which keeps its connections. Not thread-safe.
class RecordProbe {
 public:
  explicit RecordProbe(KafkaOptions kafka) : kafka_(std::move(kafka)) {}

  // The records at these offsets, by partition; offsets without a record are omitted. kUnavailable if not all brokers
  // responded in time.
  Result<std::map<int32_t, Anchor>> at(const std::map<int32_t, int64_t>& offsets, int64_t timeout_ns);

 private:
  Status connect();

  const KafkaOptions kafka_;
  Handle handle_;
};

}  // namespace monitor::metriclog::kafka
