// Shared by writer and reader: owning types for librdkafka's objects, configuration, and logging.
#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "metriclog/kafka/kafka_log.h"

namespace monitor::metriclog::kafka {

template <auto Destroy>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    Destroy(object);
  }
};

using Handle = std::unique_ptr<rd_kafka_t, Deleter<rd_kafka_destroy>>;
using SharedHandle = std::shared_ptr<rd_kafka_t>;  // shared with the messages that it has delivered
using Config = std::unique_ptr<rd_kafka_conf_t, Deleter<rd_kafka_conf_destroy>>;
using TopicConfig = std::unique_ptr<rd_kafka_topic_conf_t, Deleter<rd_kafka_topic_conf_destroy>>;
using Topic = std::unique_ptr<rd_kafka_topic_t, Deleter<rd_kafka_topic_destroy>>;
using Queue = std::unique_ptr<rd_kafka_queue_t, Deleter<rd_kafka_queue_destroy>>;
using Event = std::unique_ptr<rd_kafka_event_t, Deleter<rd_kafka_event_destroy>>;
using Message = std::unique_ptr<rd_kafka_message_t, Deleter<rd_kafka_message_destroy>>;
using RecordHeaders = std::unique_ptr<rd_kafka_headers_t, Deleter<rd_kafka_headers_destroy>>;
using PartitionList = std::unique_ptr<rd_kafka_topic_partition_list_t, Deleter<rd_kafka_topic_partition_list_destroy>>;

using Settings = std::vector<std::pair<std::string, std::string>>;

// Applies our settings, then the user's. `own` are in librdkafka's form. kInvalidArgument for a user setting that is
// unknown, invalid, or reserved.
Result<Config> make_config(const KafkaOptions& kafka, const Settings& own);
Result<Handle> make_handle(rd_kafka_type_t type, Config config);

// Converts an error of librdkafka or of a broker. `text` may add detail.
Error to_error(rd_kafka_resp_err_t error, const std::string& what, const char* text = nullptr);

// LogWriter::identity() of the topic in the handle's cluster. Waits for the cluster to report its id; empty if it does
// not within the timeout.
std::string log_identity(rd_kafka_t* handle, const std::string& topic, int64_t timeout_ns);

// Milliseconds for librdkafka's timeouts, rounded up, never negative.
int to_millis(int64_t ns);

// Connectivity: remembers the last connection error that librdkafka reported, from any thread, because timeouts do not
// say why. Thread-safe.
class Connectivity {
 public:
  explicit Connectivity(std::string brokers) : brokers_(std::move(brokers)) {}
  void note(rd_kafka_resp_err_t error, std::string_view text);
  void clear();
  // "Kafka at HOST:PORT cannot be reached: ..."
  std::string describe(std::string_view otherwise) const;
  // True after a rejected login, for which a retry with the same credentials is pointless.
  bool login_refused() const;

 private:
  const std::string brokers_;
  mutable std::mutex mutex_;
  std::string last_;
  bool refused_ = false;
};

}  // namespace monitor::metriclog::kafka
