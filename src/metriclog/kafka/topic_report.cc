#include "metriclog/kafka/topic_report.h"

#include <algorithm>
#include <array>
#include <memory>

#include "base/clock.h"
#include "metriclog/kafka/client.h"
#include "metriclog/kafka/topics.h"

namespace monitor::metriclog {

namespace kafka {
namespace {

using Metadata = std::unique_ptr<const rd_kafka_metadata_t, Deleter<rd_kafka_metadata_destroy>>;

constexpr std::array<const char*, 6> kShown = {"min.insync.replicas", "retention.ms",   "retention.bytes",
                                               "max.message.bytes",   "cleanup.policy", "message.timestamp.type"};

void on_error(rd_kafka_t* /*handle*/, int error, const char* reason, void* opaque) {
  static_cast<Connectivity*>(opaque)->note(static_cast<rd_kafka_resp_err_t>(error), reason);
}

TopicReport count_replicas(const std::string& name, const rd_kafka_metadata_topic_t& topic) {
  TopicReport report{.name = name, .exists = topic.partition_cnt > 0, .partitions = topic.partition_cnt};
  for (int i = 0; i < topic.partition_cnt; ++i) {
    const rd_kafka_metadata_partition_t& one = topic.partitions[i];
    report.replication = i == 0 ? one.replica_cnt : std::min(report.replication, one.replica_cnt);
    report.in_sync = i == 0 ? one.isr_cnt : std::min(report.in_sync, one.isr_cnt);
    if (one.leader < 0) ++report.leaderless;
  }
  return report;
}

class Describer {
 public:
  Describer(rd_kafka_t* handle, int64_t timeout_ns) : handle_(handle), deadline_(clock_.mono_ns() + timeout_ns) {}

  Result<ClusterReport> describe(const std::string& data_topic) {
    const rd_kafka_metadata_t* raw = nullptr;
    // All topics: a request for one that is missing would be retried until the time limit.
    const auto error = rd_kafka_metadata(handle_, 1, nullptr, &raw, to_millis(left()));
    const Metadata metadata(raw);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return to_error(error, "reading Kafka's metadata");
    ClusterReport report{.brokers = metadata->broker_cnt};
    for (const std::string& name : {data_topic, state_topic_name(data_topic), writers_topic_name(data_topic)}) {
      report.topics.push_back(topic(name, *metadata));
    }
    return report;
  }

 private:
  int64_t left() const { return std::max<int64_t>(deadline_ - clock_.mono_ns(), kNanosPerMilli); }

  TopicReport topic(const std::string& name, const rd_kafka_metadata_t& metadata) {
    for (int i = 0; i < metadata.topic_cnt; ++i) {
      if (name != metadata.topics[i].topic) continue;
      TopicReport report = count_replicas(name, metadata.topics[i]);
      const auto all = topic_settings(handle_, name, left(), [this] { return deadline_ > clock_.mono_ns(); });
      if (!all) return report;
      for (const char* const one : kShown) {
        if (const auto found = all->find(one); found != all->end()) report.settings.insert(*found);
      }
      return report;
    }
    return {.name = name};
  }

  rd_kafka_t* handle_;
  SystemClock clock_;
  int64_t deadline_;
};

}  // namespace
}  // namespace kafka

Result<ClusterReport> describe_topics(const KafkaOptions& options, int64_t timeout_ns) {
  kafka::Connectivity connectivity(options.brokers);
  auto config = kafka::make_config(options, {});
  if (!config) return config.error();
  rd_kafka_conf_set_opaque(config->get(), &connectivity);
  rd_kafka_conf_set_error_cb(config->get(), &kafka::on_error);
  const auto handle = kafka::make_handle(RD_KAFKA_PRODUCER, std::move(*config));
  if (!handle) return handle.error();
  auto report = kafka::Describer(handle->get(), timeout_ns).describe(options.topic);
  if (report) return report;
  rd_kafka_poll(handle->get(), 0);  // delivers the error that explains it
  const auto code = connectivity.login_refused() ? Code::kUnauthenticated : report.error().code();
  return Error(code, connectivity.describe(report.error().message()));
}

}  // namespace monitor::metriclog
