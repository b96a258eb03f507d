// Producer: a librdkafka producer for one topic. It is idempotent, requires acknowledgement by all in-sync replicas,
// and uses the partitioner of Java clients.
//
// produce() is thread-safe. poll() and the rest belong to one thread, which destroys the producer when no other thread
// is in produce(). Unconfirmed records are lost then, so call purge() first.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "metriclog/kafka/client.h"
#include "metriclog/log.h"

namespace monitor::metriclog::kafka {

class Producer {
 public:
  // `alone`: sends one record per batch, so that a rejected batch identifies the record.
  static Result<std::unique_ptr<Producer>> create(const KafkaWriterOptions& options, bool alone);

  // Enables produce(), once the topic is known to exist. If its partition count changes, further records are rejected.
  Status open_topic(const std::string& name, int partitions);
  bool partitions_changed() const { return partitions_changed_.load(std::memory_order_relaxed); }

  // Opens a second topic, with one partition, whose count is not checked.
  Status open_beside(const std::string& name);
  // Sends a record to the second topic; poll() returns it without an opaque.
  rd_kafka_resp_err_t produce_beside(std::string_view key, std::string_view value);

  // poll() will return `opaque` with the confirmation. NO_ERROR: accepted.
  rd_kafka_resp_err_t produce(const RecordView& record, void* opaque);
  // Sends the message of another producer's confirmation again, and takes over its headers.
  rd_kafka_resp_err_t produce_again(const rd_kafka_message_t& message, void* opaque);

  // The next confirmations, or an error; nothing after the timeout.
  Event poll(int64_t timeout_ns) const;
  // Makes a waiting poll() return. Any thread.
  void wake() const { rd_kafka_queue_yield(queue_.get()); }
  // Fails all unconfirmed records, which poll() then returns.
  void purge() const;
  bool idle() const { return rd_kafka_outq_len(handle_.get()) == 0; }
  rd_kafka_t* handle() const { return handle_.get(); }

 private:
  Producer() = default;
  rd_kafka_resp_err_t send(std::string_view key, std::string_view value, RecordHeaders headers, void* opaque);
  static int32_t partition_of(const rd_kafka_topic_t* topic, const void* key, size_t key_bytes, int32_t partitions,
                              void* self, void* message_opaque);

  // Declared in this order, so that topic and queue are destroyed before the handle.
  Handle handle_;
  Queue queue_;
  Topic topic_;
  Topic beside_;
  std::atomic<int> partitions_ = 0;
  std::atomic<bool> partitions_changed_ = false;
};

}  // namespace monitor::metriclog::kafka
