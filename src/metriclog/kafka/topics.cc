#include "metriclog/kafka/topics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace monitor::metriclog::kafka {

namespace {

constexpr int64_t kLook = 50 * kNanosPerMilli;
constexpr const char* kMaxSnapshotBytes = "16777216";

using NewTopic = std::unique_ptr<rd_kafka_NewTopic_t, Deleter<rd_kafka_NewTopic_destroy>>;
using Resource = std::unique_ptr<rd_kafka_ConfigResource_t, Deleter<rd_kafka_ConfigResource_destroy>>;
using AdminOptions = std::unique_ptr<rd_kafka_AdminOptions_t, Deleter<rd_kafka_AdminOptions_destroy>>;
using Metadata = std::unique_ptr<const rd_kafka_metadata_t, Deleter<rd_kafka_metadata_destroy>>;

AdminOptions admin_options(rd_kafka_t* handle, rd_kafka_admin_op_t what, int64_t timeout_ns) {
  AdminOptions options(rd_kafka_AdminOptions_new(handle, what));
  std::array<char, 256> text{};
  rd_kafka_AdminOptions_set_request_timeout(options.get(), std::max(to_millis(timeout_ns), 1), text.data(),
                                            text.size());
  return options;
}

// Returns nullptr if `go_on` gave up.
Event wait_for(rd_kafka_queue_t* queue, const GoOn& go_on) {
  while (go_on()) {
    if (Event event(rd_kafka_queue_poll(queue, to_millis(kLook))); event) return event;
  }
  return nullptr;
}

Error given_up() { return Error(Code::kCancelled, "stopped waiting for Kafka"); }

}  // namespace

TopicSpec data_topic(const KafkaWriterOptions& options) {
  const int64_t retention_ms = options.retention_ns > 0 ? options.retention_ns / kNanosPerMilli : -1;
  TopicSpec spec{options.kafka.topic, options.partitions, options.replication, {}};
  spec.settings = {{"cleanup.policy", "delete"},
                   {"retention.ms", std::to_string(retention_ms)},
                   // With the record's own time, Kafka would reject a record from the future together with its
                   // neighbours, and would expire a replayed old one at once. The data has its own time anyway.
                   {"message.timestamp.type", "LogAppendTime"}};
  return spec;
}

TopicSpec state_topic(const std::string& data_name, int partitions, int replication) {
  TopicSpec spec{state_topic_name(data_name), partitions, replication, {}};
  spec.settings = {{"cleanup.policy", "compact"},
                   {"max.message.bytes", kMaxSnapshotBytes},
                   // Only closed segments are compacted. Many small ones limit what a starting reader must scan.
                   {"segment.ms", "600000"},
                   {"segment.bytes", "33554432"},
                   {"min.cleanable.dirty.ratio", "0.1"}};
  return spec;
}

std::string state_topic_name(const std::string& data_name) { return data_name + "-state"; }

TopicSpec writers_topic(const std::string& data_name, int replication) {
  TopicSpec spec{writers_topic_name(data_name), 1, replication, {}};
  spec.settings = {{"cleanup.policy", "delete"},
                   {"retention.ms", "86400000"},
                   {"segment.ms", "3600000"},
                   {"message.timestamp.type", "LogAppendTime"}};
  return spec;
}

std::string writers_topic_name(const std::string& data_name) { return data_name + "-writers"; }

Status create_topic(rd_kafka_t* handle, const TopicSpec& spec, int64_t timeout_ns, const GoOn& go_on) {
  std::array<char, 512> text{};
  const NewTopic topic(
      rd_kafka_NewTopic_new(spec.name.c_str(), spec.partitions, spec.replication, text.data(), text.size()));
  if (!topic) return Error(Code::kInvalidArgument, fmt::format("topic {}: {}", spec.name, text.data()));
  for (const auto& [name, value] : spec.settings) {
    rd_kafka_NewTopic_set_config(topic.get(), name.c_str(), value.c_str());
  }
  const Queue queue(rd_kafka_queue_new(handle));
  const auto options = admin_options(handle, RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout_ns);
  std::array<rd_kafka_NewTopic_t*, 1> topics = {topic.get()};
  rd_kafka_CreateTopics(handle, topics.data(), topics.size(), options.get(), queue.get());
  const Event event = wait_for(queue.get(), go_on);
  if (!event) return given_up();
  const std::string what = fmt::format("topic {} cannot be created", spec.name);
  if (const auto error = rd_kafka_event_error(event.get()); error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return to_error(error, what, rd_kafka_event_error_string(event.get()));
  }
  size_t count = 0;
  const auto* const result = rd_kafka_event_CreateTopics_result(event.get());
  const rd_kafka_topic_result_t** const made = rd_kafka_CreateTopics_result_topics(result, &count);
  if (count != 1) return Error(Code::kInternal, what + ": the answer does not contain it");
  const auto error = rd_kafka_topic_result_error(made[0]);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  return to_error(error, what, rd_kafka_topic_result_error_string(made[0]));
}

Result<int> partition_count(rd_kafka_t* handle, const std::string& topic, int64_t timeout_ns) {
  const Topic local(rd_kafka_topic_new(handle, topic.c_str(), nullptr));
  if (!local) return to_error(rd_kafka_last_error(), "topic " + topic);
  const rd_kafka_metadata_t* raw = nullptr;
  const auto error = rd_kafka_metadata(handle, 0, local.get(), &raw, to_millis(timeout_ns));
  const Metadata metadata(raw);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return to_error(error, "topic " + topic);
  if (metadata->topic_cnt != 1) return Error(Code::kNotFound, "topic " + topic + " does not exist");
  const rd_kafka_metadata_topic_t& found = metadata->topics[0];
  if (found.err != RD_KAFKA_RESP_ERR_NO_ERROR) return to_error(found.err, "topic " + topic);
  if (found.partition_cnt == 0) return Error(Code::kUnavailable, "topic " + topic + " is being created");
  return found.partition_cnt;
}

Result<std::map<std::string, std::string>> topic_settings(rd_kafka_t* handle, const std::string& topic,
                                                          int64_t timeout_ns, const GoOn& go_on) {
  const Resource resource(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
  const Queue queue(rd_kafka_queue_new(handle));
  const auto options = admin_options(handle, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, timeout_ns);
  std::array<rd_kafka_ConfigResource_t*, 1> resources = {resource.get()};
  rd_kafka_DescribeConfigs(handle, resources.data(), resources.size(), options.get(), queue.get());
  const Event event = wait_for(queue.get(), go_on);
  if (!event) return given_up();
  const std::string what = fmt::format("settings of topic {}", topic);
  if (const auto error = rd_kafka_event_error(event.get()); error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return to_error(error, what, rd_kafka_event_error_string(event.get()));
  }
  size_t count = 0;
  const auto* const result = rd_kafka_event_DescribeConfigs_result(event.get());
  const rd_kafka_ConfigResource_t** const found = rd_kafka_DescribeConfigs_result_resources(result, &count);
  std::map<std::string, std::string> settings;
  for (size_t i = 0; i < count; ++i) {
    if (const auto error = rd_kafka_ConfigResource_error(found[i]); error != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return to_error(error, what, rd_kafka_ConfigResource_error_string(found[i]));
    }
    size_t entries = 0;
    const rd_kafka_ConfigEntry_t** const entry = rd_kafka_ConfigResource_configs(found[i], &entries);
    for (size_t k = 0; k < entries; ++k) {
      const char* const value = rd_kafka_ConfigEntry_value(entry[k]);
      settings[rd_kafka_ConfigEntry_name(entry[k])] = value == nullptr ? "" : value;
    }
  }
  return settings;
}

Error grown_error(const std::string& topic, int partitions, int before) {
  return Error(Code::kFailedPrecondition,
               fmt::format("topic {0} has {1} partitions, but had {2} when its readers' topic {3} was created. Agents "
                           "would move between partitions, and a batch that was sent twice could be counted twice. "
                           "Use a new topic with {1} partitions (--topic), or delete {3} once no group needs its "
                           "position",
                           topic, partitions, before, state_topic_name(topic)));
}

}  // namespace monitor::metriclog::kafka
