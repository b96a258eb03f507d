#include "metriclog/kafka/testing/admin.h"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "base/clock.h"
#include "metriclog/kafka/topics.h"

namespace monitor::metriclog::testing {

namespace {

using kafka::Deleter;
using kafka::Event;
using kafka::Handle;
using kafka::Queue;

constexpr int64_t kPatience = 30 * kNanosPerSecond;

template <typename T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().to_string());
  return std::move(*result);
}
void must(const Status& status) {
  if (!status) throw std::runtime_error(status.error().to_string());
}

Handle connect(const std::string& brokers) {
  return must(kafka::make_handle(RD_KAFKA_PRODUCER, must(kafka::make_config({.brokers = brokers}, {}))));
}

// Waits for the answer to an operation, and throws if it contains an error.
template <typename Ask>
Event ask(const Handle& handle, Ask operation) {
  const Queue queue(rd_kafka_queue_new(handle.get()));
  operation(queue.get());
  Event event(rd_kafka_queue_poll(queue.get(), kafka::to_millis(kPatience)));
  if (!event) throw std::runtime_error("no answer from Kafka");
  if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    throw std::runtime_error(rd_kafka_event_error_string(event.get()));
  }
  return event;
}

}  // namespace

std::string kafka_address() {
  const char* const path = std::getenv("MONITOR_TEST_SERVICES");  // NOLINT(concurrency-mt-unsafe): tests do not set it
  std::ifstream file(path == nullptr ? "" : path);
  constexpr std::string_view kName = "KAFKA=";
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(kName)) return line.substr(kName.size());
  }
  throw std::runtime_error(
      "MONITOR_TEST_SERVICES must name a file with KAFKA=HOST:PORT; ctest starts the services, and "
      "tools/services writes that file (addresses)");
}

void create_topic(const std::string& brokers, const std::string& topic, int partitions,
                  const std::vector<std::pair<std::string, std::string>>& settings) {
  const Handle handle = connect(brokers);
  must(kafka::create_topic(handle.get(), {topic, partitions, 1, settings}, kPatience, [] { return true; }));
  const int64_t end = SystemClock().mono_ns() + kPatience;
  while (!kafka::partition_count(handle.get(), topic, kPatience)) {
    if (SystemClock().mono_ns() > end) throw std::runtime_error("the topic did not become visible");
  }
}

void delete_topic(const std::string& brokers, const std::string& topic) {
  using DeleteTopic = std::unique_ptr<rd_kafka_DeleteTopic_t, Deleter<rd_kafka_DeleteTopic_destroy>>;
  const Handle handle = connect(brokers);
  const DeleteTopic what(rd_kafka_DeleteTopic_new(topic.c_str()));
  std::array<rd_kafka_DeleteTopic_t*, 1> all = {what.get()};
  ask(handle, [&](rd_kafka_queue_t* queue) { rd_kafka_DeleteTopics(handle.get(), all.data(), 1, nullptr, queue); });
}

void add_partitions(const std::string& brokers, const std::string& topic, int total) {
  using NewPartitions = std::unique_ptr<rd_kafka_NewPartitions_t, Deleter<rd_kafka_NewPartitions_destroy>>;
  const Handle handle = connect(brokers);
  std::array<char, 256> text{};
  const NewPartitions what(
      rd_kafka_NewPartitions_new(topic.c_str(), static_cast<size_t>(total), text.data(), text.size()));
  if (!what) throw std::runtime_error(text.data());
  std::array<rd_kafka_NewPartitions_t*, 1> all = {what.get()};
  ask(handle, [&](rd_kafka_queue_t* queue) { rd_kafka_CreatePartitions(handle.get(), all.data(), 1, nullptr, queue); });
}

void delete_records(const std::string& brokers, const std::string& topic, int32_t partition, int64_t before) {
  using DeleteRecords = std::unique_ptr<rd_kafka_DeleteRecords_t, Deleter<rd_kafka_DeleteRecords_destroy>>;
  const Handle handle = connect(brokers);
  const kafka::PartitionList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset = before;
  const DeleteRecords what(rd_kafka_DeleteRecords_new(list.get()));
  std::array<rd_kafka_DeleteRecords_t*, 1> all = {what.get()};
  const Event event = ask(
      handle, [&](rd_kafka_queue_t* queue) { rd_kafka_DeleteRecords(handle.get(), all.data(), 1, nullptr, queue); });
  const auto* const offsets = rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event.get()));
  if (offsets->elems[0].err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    throw std::runtime_error(rd_kafka_err2str(offsets->elems[0].err));
  }
}

std::map<std::string, std::string> settings(const std::string& brokers, const std::string& topic) {
  const Handle handle = connect(brokers);
  return must(kafka::topic_settings(handle.get(), topic, kPatience, [] { return true; }));
}

int count_partitions(const std::string& brokers, const std::string& topic) {
  const Handle handle = connect(brokers);
  return must(kafka::partition_count(handle.get(), topic, kPatience));
}

int64_t committed_offset(const std::string& brokers, const std::string& group, const std::string& topic) {
  const Handle handle = must(
      kafka::make_handle(RD_KAFKA_CONSUMER, must(kafka::make_config({.brokers = brokers}, {{"group.id", group}}))));
  const kafka::PartitionList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), 0);
  const auto error = rd_kafka_committed(handle.get(), list.get(), kafka::to_millis(kPatience));
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) throw std::runtime_error(rd_kafka_err2str(error));
  return list->elems[0].offset;
}

void commit_offset(const std::string& brokers, const std::string& group, const std::string& topic, int64_t offset) {
  const Handle handle = must(
      kafka::make_handle(RD_KAFKA_CONSUMER, must(kafka::make_config({.brokers = brokers}, {{"group.id", group}}))));
  const kafka::PartitionList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), 0)->offset = offset;
  const auto error = rd_kafka_commit(handle.get(), list.get(), 0);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) throw std::runtime_error(rd_kafka_err2str(error));
}

void wait_until_open(const LogWriter& writer) {
  constexpr useconds_t kLook = 1000;
  const int64_t end = SystemClock().mono_ns() + kPatience;
  while (!writer.trouble().empty()) {
    if (SystemClock().mono_ns() > end) throw std::runtime_error("the log accepts no records: " + writer.trouble());
    usleep(kLook);
  }
}

}  // namespace monitor::metriclog::testing
