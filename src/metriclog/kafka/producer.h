// One librdkafka producer for one topic: idempotent, acknowledged by all in-sync copies, keys to partitions as Java's
// clients do.
//
// produce() is thread-safe; poll() and the rest belong to one thread, which destroys the producer when no other is in
// produce() any more. What is not confirmed by then is given up: purge() first.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "metriclog/kafka/client.h"
#include "metriclog/log.h"

namespace monitor::metriclog::kafka {

class Producer {
 public:
  // `alone`: never two records in one batch, so that a batch that is refused names the record.
  static Result<std::unique_ptr<Producer>> create(const KafkaWriterOptions& options, bool alone);

  // Makes produce() usable, when the topic is known to exist. As soon as it turns out to have another number of
  // partitions, nothing is taken any more.
  Status open_topic(const std::string& name, int partitions);
  bool partitions_changed() const { return partitions_changed_.load(std::memory_order_relaxed); }

  // A second topic, of one partition, without a watch over its partitions.
  Status open_beside(const std::string& name);
  // A record of that topic; it comes back from poll() without an opaque.
  rd_kafka_resp_err_t produce_beside(std::string_view key, std::string_view value);

  // `opaque` comes back with the confirmation. NO_ERROR: taken.
  rd_kafka_resp_err_t produce(const RecordView& record, void* opaque);
  // The same once more, from a confirmation of another producer, which loses its headers.
  rd_kafka_resp_err_t produce_again(const rd_kafka_message_t& message, void* opaque);

  // The next confirmations, error, or nothing within the time.
  Event poll(int64_t timeout_ns) const;
  // Makes a poll() that waits return; from any thread.
  void wake() const { rd_kafka_queue_yield(queue_.get()); }
  // Everything not confirmed comes back from poll() as failed.
  void purge() const;
  bool idle() const { return rd_kafka_outq_len(handle_.get()) == 0; }
  rd_kafka_t* handle() const { return handle_.get(); }

 private:
  Producer() = default;
  rd_kafka_resp_err_t send(std::string_view key, std::string_view value, RecordHeaders headers, void* opaque);
  static int32_t partition_of(const rd_kafka_topic_t* topic, const void* key, size_t key_bytes, int32_t partitions,
                              void* self, void* message_opaque);

  // In this order: the topic and the queue go before the handle.
  Handle handle_;
  Queue queue_;
  Topic topic_;
  Topic beside_;
  std::atomic<int> partitions_ = 0;
  std::atomic<bool> partitions_changed_ = false;
};

}  // namespace monitor::metriclog::kafka
