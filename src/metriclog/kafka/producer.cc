#include "metriclog/kafka/producer.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <tuple>

namespace monitor::metriclog::kafka {

Result<std::unique_ptr<Producer>> Producer::create(const KafkaWriterOptions& options, bool alone) {
  // What the record adds to its value on the wire: key, headers, framing.
  constexpr size_t kAroundValue = 4096;
  Settings own = {
      {"enable.idempotence", "true"},
      {"acks", "all"},
      {"message.timeout.ms", std::to_string(to_millis(options.message_timeout_ns))},
      {"linger.ms", std::to_string(alone ? 0 : to_millis(options.linger_ns))},
      {"queue.buffering.max.messages", std::to_string(options.max_queue_records)},
      {"queue.buffering.max.kbytes", std::to_string(std::max<size_t>(options.max_queue_bytes / 1024, 1))},
      {"message.max.bytes", std::to_string(options.max_record_bytes + kAroundValue)},
      {"compression.codec", "zstd"},
      // A deleted topic is given up after this time, and created again.
      {"topic.metadata.propagation.max.ms", "5000"},
      {"topic.metadata.refresh.interval.ms", "30000"},
  };
  if (alone) own.emplace_back("batch.num.messages", "1");
  auto config = make_config(options.kafka, own);
  if (!config) return config.error();
  rd_kafka_conf_set_events(config->get(), RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
  std::unique_ptr<Producer> producer(new Producer());
  // It exists, because a topic setting was set above.
  rd_kafka_topic_conf_t* const topics = rd_kafka_conf_get_default_topic_conf(config->get());
  assert(topics != nullptr);
  rd_kafka_topic_conf_set_partitioner_cb(topics, &Producer::partition_of);
  rd_kafka_topic_conf_set_opaque(topics, producer.get());
  auto handle = make_handle(RD_KAFKA_PRODUCER, std::move(*config));
  if (!handle) return handle.error();
  producer->handle_ = std::move(*handle);
  producer->queue_.reset(rd_kafka_queue_get_main(producer->handle_.get()));
  return producer;
}

Status Producer::open_topic(const std::string& name, int partitions) {
  partitions_ = partitions;
  partitions_changed_ = false;
  topic_.reset(rd_kafka_topic_new(handle_.get(), name.c_str(), nullptr));
  if (!topic_) return to_error(rd_kafka_last_error(), "topic " + name);
  return {};
}

Status Producer::open_beside(const std::string& name) {
  beside_.reset(rd_kafka_topic_new(handle_.get(), name.c_str(), nullptr));
  if (!beside_) return to_error(rd_kafka_last_error(), "topic " + name);
  return {};
}

rd_kafka_resp_err_t Producer::produce_beside(std::string_view key, std::string_view value) {
  constexpr int32_t kPartition = 0;
  // The parameter is void*, although the library only reads the value.
  const int taken = rd_kafka_produce(beside_.get(), kPartition, RD_KAFKA_MSG_F_COPY, const_cast<char*>(value.data()),
                                     value.size(), key.data(), key.size(), nullptr);
  return taken == 0 ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_last_error();
}

// Called by the threads that produce and by librdkafka's threads.
int32_t Producer::partition_of(const rd_kafka_topic_t* topic, const void* key, size_t key_bytes, int32_t partitions,
                               void* self, void* message_opaque) {
  auto* const producer = static_cast<Producer*>(self);
  if (partitions != producer->partitions_.load(std::memory_order_relaxed)) {
    producer->partitions_changed_.store(true, std::memory_order_relaxed);
    return INT32_MAX;  // no such partition: the record is refused
  }
  return rd_kafka_msg_partitioner_murmur2_random(topic, key, key_bytes, partitions, nullptr, message_opaque);
}

rd_kafka_resp_err_t Producer::produce(const RecordView& record, void* opaque) {
  RecordHeaders headers(rd_kafka_headers_new(record.headers.size()));
  for (const auto& [name, value] : record.headers) {
    rd_kafka_header_add(headers.get(), name.data(), static_cast<ssize_t>(name.size()), value.data(),
                        static_cast<ssize_t>(value.size()));
  }
  return send(record.key, record.value, std::move(headers), opaque);
}

rd_kafka_resp_err_t Producer::produce_again(const rd_kafka_message_t& message, void* opaque) {
  rd_kafka_headers_t* raw = nullptr;
  if (rd_kafka_message_headers(&message, &raw) == RD_KAFKA_RESP_ERR_NO_ERROR) raw = rd_kafka_headers_copy(raw);
  return send({static_cast<const char*>(message.key), message.key_len},
              {static_cast<const char*>(message.payload), message.len}, RecordHeaders(raw), opaque);
}

rd_kafka_resp_err_t Producer::send(std::string_view key, std::string_view value, RecordHeaders headers, void* opaque) {
  std::array<rd_kafka_vu_t, 6> parts{};
  size_t count = 0;
  parts[count].vtype = RD_KAFKA_VTYPE_RKT;
  parts[count++].u.rkt = topic_.get();
  parts[count].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  parts[count++].u.i = RD_KAFKA_MSG_F_COPY;
  parts[count].vtype = RD_KAFKA_VTYPE_OPAQUE;
  parts[count++].u.ptr = opaque;
  // The parameter is void*, although the library only reads it. An empty value is sent as empty instead of null.
  parts[count].vtype = RD_KAFKA_VTYPE_VALUE;
  parts[count].u.mem.ptr = const_cast<char*>(value.empty() ? "" : value.data());
  parts[count++].u.mem.size = value.size();
  if (!key.empty()) {
    parts[count].vtype = RD_KAFKA_VTYPE_KEY;
    parts[count].u.mem.ptr = const_cast<char*>(key.data());
    parts[count++].u.mem.size = key.size();
  }
  if (headers) {
    parts[count].vtype = RD_KAFKA_VTYPE_HEADERS;
    parts[count++].u.headers = headers.get();
  }
  rd_kafka_error_t* const error = rd_kafka_produceva(handle_.get(), parts.data(), count);
  if (error == nullptr) {
    std::ignore = headers.release();  // the message owns them now
    return RD_KAFKA_RESP_ERR_NO_ERROR;
  }
  const rd_kafka_resp_err_t code = rd_kafka_error_code(error);
  rd_kafka_error_destroy(error);
  return code;
}

Event Producer::poll(int64_t timeout_ns) const {
  return Event(rd_kafka_queue_poll(queue_.get(), to_millis(timeout_ns)));
}

void Producer::purge() const { rd_kafka_purge(handle_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT); }

}  // namespace monitor::metriclog::kafka
