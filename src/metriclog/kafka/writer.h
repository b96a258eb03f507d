// Writer: writes the log to Kafka. Its own thread connects, creates topics, reports confirmations, and replaces a
// producer that has failed. LogWriter (metriclog/log.h) says which calls are allowed on which thread. Listeners are
// called on the writer's thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

#include "metriclog/heartbeat.h"
#include "metriclog/kafka/client.h"
#include "metriclog/kafka/gathering.h"
#include "metriclog/kafka/open_records.h"
#include "metriclog/kafka/producer.h"
#include "metriclog/kafka/topics.h"
#include "metriclog/log.h"

namespace monitor::metriclog::kafka {

class Writer final : public LogWriter {
 public:
  Writer(KafkaWriterOptions options, std::unique_ptr<Producer> producer);
  // Waits briefly for pending confirmations, and reports the remaining records as kRetry.
  ~Writer() override;

  Accepted append(const RecordView& record, DeliveryListener& listener, uint64_t token) override;
  bool flush(int64_t timeout_ns) override;
  std::string trouble() const override;
  Status failure() const override;
  std::string identity() const override;

 private:
  // Why the log accepts no records, by priority.
  enum class Cause { kConnection, kTopic, kRecords };
  using Reports = std::map<DeliveryListener*, std::vector<Delivery>>;

  void run();
  bool prepare();
  Status prepare_topics();
  Status look_at_existing(const std::string& topic);
  Result<int> count_partitions(const std::string& topic);
  void turn();
  int64_t time_left();
  void prepare_heartbeats(const GoOn& go_on);
  void beat(bool ended);
  Error cannot_use(const Error& error);
  void handle(Event event, bool from_alone);
  void settle(Event event, bool from_alone);
  std::optional<Delivery> outcome(const rd_kafka_message_t& message, const OpenRecord& record, bool from_alone);
  void not_stored(rd_kafka_resp_err_t error);
  rd_kafka_resp_err_t produce(const RecordView& record, uintptr_t number);
  bool send_held(const RecordView& record, uintptr_t number);
  rd_kafka_resp_err_t send_alone(const rd_kafka_message_t& message);
  void report(Reports& reports);
  void note_identity();
  void report_refused();
  void on_error(rd_kafka_event_t* event);
  void probe();
  void rebuild();
  void give_up(bool tell_reset);
  void close_gate();
  void pause(int64_t ns);
  bool stopping() const { return stopping_.load(std::memory_order_relaxed); }
  void set_trouble(Cause cause, std::string text);
  void clear_trouble(Cause cause);

  const KafkaWriterOptions options_;
  Connectivity connectivity_;
  std::atomic<bool> stopping_ = false;

  // Threads that append hold this shared while they are in the producer. The writer's thread holds it exclusively to
  // open, close and replace the producer.
  std::shared_mutex gate_;
  bool open_ = false;                   // guarded by gate_
  std::unique_ptr<Producer> producer_;  // replaced under gate_

  // Used by the writer's thread only.
  std::unique_ptr<Producer> alone_;  // sends the records of a rejected batch again, one by one; created on first use
  bool alone_topic_open_ = false;
  int partitions_ = 0;  // partition count of the topic, once it is prepared
  bool prepared_ = false;
  bool fatal_ = false;
  std::string fatal_text_;
  int64_t rebuild_pause_ns_ = 0;  // no pause the first time; afterwards a pause, until a record is stored
  int64_t next_probe_ns_ = 0;
  Heartbeat heartbeat_;          // last heartbeat
  bool beats_ = false;           // the heartbeat topic can be written
  bool beat_under_way_ = false;  // at most one heartbeat is pending, because old ones are useless after an outage
  int64_t next_beat_ns_ = 0;

  OpenRecords records_;
  Gathering gathering_;
  std::atomic<rd_kafka_resp_err_t> append_error_ =
      RD_KAFKA_RESP_ERR_NO_ERROR;  // error of append(), for the writer's thread

  mutable std::mutex mutex_;  // guards the members below
  std::condition_variable wake_;
  std::vector<std::pair<DeliveryListener*, Delivery>> refused_;  // rejected before they reached librdkafka
  std::map<Cause, std::string> trouble_;
  std::string identity_;  // empty until this producer has stored a record
  std::optional<Error> failure_;

  std::thread thread_;  // last, because it uses the members above
};

}  // namespace monitor::metriclog::kafka
