#include <utility>

#include "metriclog/kafka/kafka_log.h"
#include "metriclog/open/backends.h"

namespace monitor::metriclog {

namespace {

constexpr int64_t kKeepDeadLetters = int64_t{7} * 24 * 3600 * kNanosPerSecond;

class KafkaLog final : public Log {
 public:
  explicit KafkaLog(KafkaOptions kafka) : kafka_(std::move(kafka)) {}

  Result<std::unique_ptr<LogWriter>> writer(const WriterOptions& options, const Clock& /*clock*/) const override {
    KafkaWriterOptions own{.kafka = kafka_};
    own.partitions_required = options.partitions > 0;
    if (options.partitions > 0) own.partitions = options.partitions;
    if (options.replication > 0) own.replication = options.replication;
    own.retention_ns = options.retention_ns;
    own.host = options.host;
    own.with_snapshots = own.with_heartbeats = !options.plain;
    return open_kafka_writer(own);
  }
  Result<std::unique_ptr<LogReader>> reader(const ReaderOptions& options) const override {
    return open_kafka_reader(kafka_, options);
  }
  Result<std::unique_ptr<LogBrowser>> browser() const override { return open_kafka_browser(kafka_); }
  // Such records go to a separate topic.
  Result<std::unique_ptr<LogWriter>> dead_letters(const std::string& name) const override {
    KafkaWriterOptions own{.kafka = kafka_};
    own.kafka.topic = name;
    own.partitions = 1;
    own.with_snapshots = false;
    own.with_heartbeats = false;
    own.retention_ns = kKeepDeadLetters;
    return open_kafka_writer(own);
  }
  bool has_dead_letters() const override { return true; }

 private:
  const KafkaOptions kafka_;
};

}  // namespace

Result<std::unique_ptr<Log>> open_kafka(std::string_view rest, const LogSettings& settings) {
  const size_t slash = rest.rfind('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == rest.size()) {
    return Error(Code::kInvalidArgument, "no brokers or no topic");
  }
  KafkaOptions kafka;
  kafka.brokers = rest.substr(0, slash);
  kafka.topic = rest.substr(slash + 1);
  kafka.properties = settings;
  return std::unique_ptr<Log>(std::make_unique<KafkaLog>(std::move(kafka)));
}

}  // namespace monitor::metriclog
