#include "metriclog/browser.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <utility>

#include "base/clock.h"
#include "metriclog/kafka/client.h"
#include "metriclog/kafka/kafka_log.h"
#include "metriclog/kafka/message.h"
#include "metriclog/kafka/topics.h"

namespace monitor::metriclog {

namespace kafka {
namespace {

constexpr int64_t kAsk = 3 * kNanosPerSecond;
constexpr size_t kMostGroups = 100;
constexpr int64_t kForgetWriter = 600 * kNanosPerSecond;

using AdminOptions = std::unique_ptr<rd_kafka_AdminOptions_t, Deleter<rd_kafka_AdminOptions_destroy>>;
using GroupOffsets =
    std::unique_ptr<rd_kafka_ListConsumerGroupOffsets_t, Deleter<rd_kafka_ListConsumerGroupOffsets_destroy>>;

class Browser final : public LogBrowser {
 public:
  Browser(KafkaOptions kafka, Handle handle) : kafka_(std::move(kafka)), handle_(std::move(handle)) {
    rd_kafka_poll_set_consumer(handle_.get());
  }
  ~Browser() override { rd_kafka_consumer_close(handle_.get()); }
  Browser(const Browser&) = delete;
  Browser& operator=(const Browser&) = delete;

  Result<std::vector<PartitionExtent>> partitions() override {
    const auto count = partition_count(handle_.get(), kafka_.topic, kAsk);
    if (!count) return count.error();
    std::vector<PartitionExtent> found;
    for (int32_t partition = 0; partition < *count; ++partition) {
      const auto extent = extent_of(kafka_.topic, partition);
      if (!extent) return extent.error();
      found.push_back(*extent);
    }
    return found;
  }

  Result<std::vector<GroupPosition>> groups() override {
    const auto count = partition_count(handle_.get(), kafka_.topic, kAsk);
    if (!count) return count.error();
    const auto names = group_names();
    if (!names) return names.error();
    std::vector<GroupPosition> found;
    for (const std::string& name : *names) {
      const auto positions = positions_of(name, *count);
      if (!positions) return positions.error();
      found.insert(found.end(), positions->begin(), positions->end());
    }
    return found;
  }

  Result<std::vector<Record>> read(int32_t partition, int64_t from, size_t limit) override {
    const auto extent = extent_of(kafka_.topic, partition);
    if (!extent) return extent.error();
    return read_of(kafka_.topic, *extent, from, limit);
  }

  Status scan(std::vector<Span>& spans, const KeyFilter& wanted, const TakeRecord& take) override {
    const PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(spans.size())));
    std::map<int32_t, Span*> open;
    for (Span& span : spans) {
      if (span.next >= span.end) continue;
      open[span.partition] = &span;
      rd_kafka_topic_partition_list_add(list.get(), kafka_.topic.c_str(), span.partition)->offset = span.next;
    }
    if (open.empty()) return {};
    if (const auto error = rd_kafka_assign(handle_.get(), list.get()); error != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return to_error(error, "topic " + kafka_.topic);
    }
    Status status = scan_assigned(open, wanted, take);
    rd_kafka_assign(handle_.get(), nullptr);
    return status;
  }

  Result<std::vector<Heartbeat>> heartbeats() override {
    const std::string topic = writers_topic_name(kafka_.topic);
    if (const auto count = partition_count(handle_.get(), topic, kAsk); !count) {
      if (count.error().code() == Code::kNotFound) return std::vector<Heartbeat>();
      return count.error();
    }
    const auto extent = extent_of(topic, 0);
    if (!extent) return extent.error();
    // If the topic was recreated, reads it from its start.
    if (next_beat_ > extent->end) {
      next_beat_ = 0;
      beats_.clear();
    }
    constexpr int64_t kRecent = 256;  // covers some minutes, whatever the number of servers
    const auto records = read_of(topic, *extent, std::max(next_beat_, extent->end - kRecent), kRecent);
    if (!records) return records.error();
    for (const Record& record : *records) take_beat(record);
    std::vector<Heartbeat> found;
    found.reserve(beats_.size());
    for (const auto& [writer, beat] : beats_) found.push_back(beat);
    return found;
  }

  Result<int64_t> offset_at(int32_t partition, int64_t time_ns) override {
    const PartitionList list(rd_kafka_topic_partition_list_new(1));
    auto* const entry = rd_kafka_topic_partition_list_add(list.get(), kafka_.topic.c_str(), partition);
    // Kafka knows times to the millisecond.
    const int64_t time_ms = std::max<int64_t>(time_ns, 0) / kNanosPerMilli;
    entry->offset = time_ms + (time_ms * kNanosPerMilli < time_ns ? 1 : 0);
    const auto error = rd_kafka_offsets_for_times(handle_.get(), list.get(), to_millis(kAsk));
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return to_error(error, "topic " + kafka_.topic);
    if (entry->err != RD_KAFKA_RESP_ERR_NO_ERROR) return to_error(entry->err, "topic " + kafka_.topic);
    if (entry->offset >= 0) return entry->offset;
    const auto extent = extent_of(kafka_.topic, partition);
    return extent ? Result<int64_t>(extent->end) : extent.error();
  }

  // The same partitioner as the producer's and that of Java clients.
  int32_t partition_of(std::string_view key, size_t partitions) const override {
    return rd_kafka_msg_partitioner_murmur2(nullptr, key.data(), key.size(), static_cast<int32_t>(partitions), nullptr,
                                            nullptr);
  }

 private:
  Result<std::vector<Record>> read_of(const std::string& topic, const PartitionExtent& extent, int64_t from,
                                      size_t limit) {
    const int32_t partition = extent.partition;
    std::vector<Record> records;
    const int64_t begin = std::max(from, extent.begin);
    if (begin >= extent.end) return records;
    const PartitionList list(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset = begin;
    if (const auto error = rd_kafka_assign(handle_.get(), list.get()); error != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return to_error(error, "topic " + topic);
    }
    const SystemClock clock;
    const int64_t end = clock.mono_ns() + kAsk;
    int64_t next = begin;
    Status status;
    while (records.size() < limit && next < extent.end && clock.mono_ns() < end && status) {
      Message message(rd_kafka_consumer_poll(handle_.get(), 100));
      if (!message || message->partition != partition) continue;
      if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) break;
      if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        status = to_error(message->err, "topic " + topic, rd_kafka_message_errstr(message.get()));
        continue;
      }
      next = message->offset + 1;
      if (message->offset >= begin) records.push_back(record_of(std::move(message), handle_));
    }
    rd_kafka_assign(handle_.get(), nullptr);
    if (!status && records.empty()) return status.error();
    return records;
  }

  // Reads until nothing is left of the spans of the assigned partitions.
  Status scan_assigned(std::map<int32_t, Span*>& open, const KeyFilter& wanted, const TakeRecord& take) {
    const SystemClock clock;
    const int64_t latest = clock.mono_ns() + kAsk;
    while (!open.empty() && clock.mono_ns() < latest) {
      Message message(rd_kafka_consumer_poll(handle_.get(), 100));
      const auto at = message ? open.find(message->partition) : open.end();
      if (at == open.end()) continue;
      Span& span = *at->second;
      if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        span.next = span.end;
      } else if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return to_error(message->err, "topic " + kafka_.topic, rd_kafka_message_errstr(message.get()));
      } else if (message->offset >= span.end) {
        span.next = span.end;
      } else if (message->offset >= span.next) {
        span.next = message->offset + 1;
        const std::string_view key(static_cast<const char*>(message->key), message->key_len);
        if (wanted(key) && !take(record_of(std::move(message), handle_))) return {};
      }
      if (span.next >= span.end) open.erase(at);
    }
    return {};
  }

  void take_beat(const Record& record) {
    next_beat_ = record.offset + 1;
    const auto value = nlohmann::json::parse(record.value, nullptr, false);
    if (!value.is_object()) return;
    const auto text = [&](const char* name) {
      const auto at = value.find(name);
      return at != value.end() && at->is_string() ? at->get<std::string>() : std::string();
    };
    const auto count = value.find("count");
    const auto ended =
        value.find("ended");  // not copied, because copying a deeply nested value could overflow the stack
    beats_[record.key] = {.writer = record.key,
                          .program = text("program"),
                          .host = text("host"),
                          .count = count != value.end() && count->is_number_unsigned() ? count->get<uint64_t>() : 0,
                          .time_ns = record.time_ns,
                          .ended = ended != value.end() && ended->is_boolean() && ended->get<bool>()};
    std::erase_if(beats_, [&](const auto& one) { return record.time_ns - one.second.time_ns > kForgetWriter; });
  }

  Result<PartitionExtent> extent_of(const std::string& topic, int32_t partition) const {
    PartitionExtent extent{.partition = partition};
    const auto error = rd_kafka_query_watermark_offsets(handle_.get(), topic.c_str(), partition, &extent.begin,
                                                        &extent.end, to_millis(kAsk));
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return extent;
    return to_error(error, fmt::format("partition {} of topic {}", partition, topic));
  }

  // Sends a request to a broker and waits for the answer.
  template <typename Ask>
  Result<Event> ask(rd_kafka_admin_op_t operation, Ask start) {
    const AdminOptions options(rd_kafka_AdminOptions_new(handle_.get(), operation));
    rd_kafka_AdminOptions_set_request_timeout(options.get(), to_millis(kAsk), nullptr, 0);
    const Queue queue(rd_kafka_queue_new(handle_.get()));
    start(options.get(), queue.get());
    Event event(rd_kafka_queue_poll(queue.get(), to_millis(2 * kAsk)));
    if (!event) return Error(Code::kUnavailable, "Kafka did not answer a request about groups");
    if (const auto error = rd_kafka_event_error(event.get()); error != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return to_error(error, "groups", rd_kafka_event_error_string(event.get()));
    }
    return event;
  }

  Result<std::vector<std::string>> group_names() {
    const auto event = ask(RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS, [this](auto* options, auto* queue) {
      rd_kafka_ListConsumerGroups(handle_.get(), options, queue);
    });
    if (!event) return event.error();
    const auto* const result = rd_kafka_event_ListConsumerGroups_result(event->get());
    size_t count = 0;
    const auto** const groups = rd_kafka_ListConsumerGroups_result_valid(result, &count);
    std::vector<std::string> names;
    names.reserve(count);
    for (size_t i = 0; i < count; ++i) names.emplace_back(rd_kafka_ConsumerGroupListing_group_id(groups[i]));
    std::ranges::sort(names);
    if (names.size() > kMostGroups) names.resize(kMostGroups);
    return names;
  }

  Result<std::vector<GroupPosition>> positions_of(const std::string& group, int count) {
    const PartitionList list(rd_kafka_topic_partition_list_new(count));
    for (int32_t i = 0; i < count; ++i) rd_kafka_topic_partition_list_add(list.get(), kafka_.topic.c_str(), i);
    const GroupOffsets asked(rd_kafka_ListConsumerGroupOffsets_new(group.c_str(), list.get()));
    const auto event = ask(RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, [&](auto* options, auto* queue) {
      auto* one = asked.get();
      rd_kafka_ListConsumerGroupOffsets(handle_.get(), &one, 1, options, queue);
    });
    if (!event) return event.error();
    const auto* const result = rd_kafka_event_ListConsumerGroupOffsets_result(event->get());
    size_t groups = 0;
    const auto** const answers = rd_kafka_ListConsumerGroupOffsets_result_groups(result, &groups);
    std::vector<GroupPosition> found;
    for (size_t i = 0; i < groups; ++i) {
      const auto* const positions = rd_kafka_group_result_partitions(answers[i]);
      for (int k = 0; positions != nullptr && k < positions->cnt; ++k) {
        if (positions->elems[k].offset < 0) continue;  // the group has never read this partition
        found.push_back({group, positions->elems[k].partition, positions->elems[k].offset});
      }
    }
    return found;
  }

  const KafkaOptions kafka_;
  const SharedHandle handle_;
  std::map<std::string, Heartbeat> beats_;
  int64_t next_beat_ = 0;
};

}  // namespace
}  // namespace kafka

Result<std::unique_ptr<LogBrowser>> open_kafka_browser(const KafkaOptions& options) {
  // librdkafka requires a group name, but nothing is stored under it. A fetch at the end of a partition waits for
  // records, and delays the next one on the connection; only what is there is ever asked for. When the queue is full,
  // librdkafka pauses for a second.
  auto config = kafka::make_config(options, {{"group.id", "monitor-browser"},
                                             {"enable.auto.commit", "false"},
                                             {"enable.auto.offset.store", "false"},
                                             {"auto.offset.reset", "error"},
                                             {"enable.partition.eof", "true"},
                                             {"fetch.wait.max.ms", "5"},
                                             {"queued.max.messages.kbytes", "32768"}});
  if (!config) return config.error();
  auto handle = kafka::make_handle(RD_KAFKA_CONSUMER, std::move(*config));
  if (!handle) return handle.error();
  return std::unique_ptr<LogBrowser>(std::make_unique<kafka::Browser>(options, std::move(*handle)));
}

}  // namespace monitor::metriclog
