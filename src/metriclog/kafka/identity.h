// Whether a partition is still the one in which a position was taken. Kafka's offsets begin anew when a topic is
// deleted and made again, and librdkafka 2.0 does not tell the topic's id. So a position is kept together with what a
// record of the partition was, its *anchor*: a record at an offset never changes, and what the broker stamps it with is
// the time.
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
  int64_t time_ms = 0;  // by the broker, or by the writer
  uint64_t bytes = 0;   // of the value
  uint32_t check = 0;   // crc32c of the key and the beginning of the value
  int64_t log_end = 0;  // behind the last record that the partition was known to have; no part of the identity

  bool valid() const { return offset >= 0; }
  // The same record.
  bool is(const Anchor& other) const {
    return offset == other.offset && time_ms == other.time_ms && bytes == other.bytes && check == other.check;
  }
};

Anchor anchor_of(const rd_kafka_message_t& message);

// As it is kept: protocol buffers, offset + 1 = 1, time_ms = 2, bytes = 3, check = 4, log_end = 5 (uint64). Nothing:
// what is not understood, or none.
std::string encode_anchor(const Anchor& anchor);
std::optional<Anchor> decode_anchor(std::string_view bytes);

// Reads single records, on a client of its own, which keeps its connections. One thread.
class RecordProbe {
 public:
  explicit RecordProbe(KafkaOptions kafka) : kafka_(std::move(kafka)) {}

  // What stands at these offsets, by partition; those at which there is nothing are left out. kUnavailable: not all
  // have answered in time.
  Result<std::map<int32_t, Anchor>> at(const std::map<int32_t, int64_t>& offsets, int64_t timeout_ns);

 private:
  Status connect();

  const KafkaOptions kafka_;
  Handle handle_;
};

}  // namespace monitor::metriclog::kafka
