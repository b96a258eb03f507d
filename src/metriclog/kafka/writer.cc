#include "metriclog/kafka/writer.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time_format.h"
#include "metriclog/kafka/outcome.h"
#include "metriclog/kafka/topics.h"

namespace monitor::metriclog::kafka {

namespace {

constexpr int64_t kTurn = 5 * kNanosPerSecond;      // how often an idle thread wakes up, at most
constexpr int64_t kTurnSoon = 20 * kNanosPerMilli;  // while other events may come as well
constexpr int64_t kTryAgain = 1 * kNanosPerSecond;  // before preparing the topics again
constexpr int64_t kProbeTimeout = 500 * kNanosPerMilli;
constexpr int64_t kProbeEvery = 1 * kNanosPerSecond;
constexpr int64_t kLastWords = 2 * kNanosPerSecond;  // how long the destructor waits for confirmations
constexpr int64_t kPurgeTimeout = 5 * kNanosPerSecond;

int64_t now_ns() { return SystemClock().mono_ns(); }

}  // namespace

Writer::Writer(KafkaWriterOptions options, std::unique_ptr<Producer> producer)
    : options_(std::move(options)),
      connectivity_(options_.kafka.brokers),
      producer_(std::move(producer)),
      heartbeat_(new_heartbeat(options_.program, options_.host)),
      gathering_(
          options_.gather, [this](const RecordView& record, uintptr_t number) { return send_held(record, number); },
          [this] { producer_->wake(); }),
      trouble_{{Cause::kTopic, fmt::format("connecting to Kafka at {}", options_.kafka.brokers)}},
      thread_([this] { run(); }) {}

Writer::~Writer() {
  stopping_ = true;
  {
    const std::shared_lock gate(gate_);
    producer_->wake();
  }
  wake_.notify_all();
  thread_.join();
}

LogWriter::Accepted Writer::append(const RecordView& record, DeliveryListener& listener, uint64_t token) {
  const std::shared_lock gate(gate_);
  if (!open_ || stopping()) return Accepted::kFull;
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
  const uintptr_t number = records_.add(listener, token);
  if (record.value.size() <= options_.max_record_bytes) {
    const auto taken = gathering_.take(record, number, now_ns());
    if (taken == Gathering::Taken::kNo) {
      error = produce(record, number);
    } else {
      error = taken == Gathering::Taken::kHeld ? RD_KAFKA_RESP_ERR_NO_ERROR : RD_KAFKA_RESP_ERR__QUEUE_FULL;
    }
  }
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
    gathering_.count();
    return Accepted::kYes;
  }
  if (classify(error) != Outcome::kRejected) {
    records_.take_back(number);
    // No confirmation will report this error, so the thread is notified.
    if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL && append_error_.exchange(error) == RD_KAFKA_RESP_ERR_NO_ERROR) {
      producer_->wake();
    }
    return Accepted::kFull;
  }
  records_.forget_number(number);
  std::string reason = fmt::format("too_large: record of {} bytes, the log takes up to {}", record.value.size(),
                                   options_.max_record_bytes);
  {
    const std::lock_guard lock(mutex_);
    refused_.emplace_back(&listener, Delivery{token, Outcome::kRejected, std::move(reason)});
  }
  producer_->wake();
  return Accepted::kYes;
}

rd_kafka_resp_err_t Writer::produce(const RecordView& record, uintptr_t number) {
  return producer_->produce(record, reinterpret_cast<void*>(number));  // NOLINT(performance-no-int-to-ptr): no address
}

// append() has accepted the record already, so that an error is the outcome of the record.
bool Writer::send_held(const RecordView& record, uintptr_t number) {
  const auto error = produce(record, number);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return true;
  if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) return false;
  OpenRecord open;
  records_.with_lock([&](const auto& look_up, const auto& release) {
    open = look_up(number);
    release(number);
  });
  const bool rejected = classify(error) == Outcome::kRejected;
  {
    const std::lock_guard lock(mutex_);
    refused_.emplace_back(open.listener, Delivery{open.token, rejected ? Outcome::kRejected : Outcome::kRetry,
                                                  rejected ? rejection_reason(error) : rd_kafka_err2str(error)});
  }
  if (!rejected) append_error_.exchange(error);
  producer_->wake();
  return true;
}

bool Writer::flush(int64_t timeout_ns) { return records_.wait_until_none(timeout_ns); }

std::string Writer::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_.empty() ? "" : trouble_.begin()->second;
}

Status Writer::failure() const {
  const std::lock_guard lock(mutex_);
  if (failure_) return *failure_;
  return {};
}

void Writer::run() {
  while (!stopping()) {
    if (fatal_) {
      rebuild();
    } else if (!prepared_ && !prepare()) {
      pause(kTryAgain);
    } else {
      turn();
    }
  }
  gathering_.pass_on();
  // Waits only briefly, and only if somebody can confirm.
  const int64_t end = now_ns() + (prepared_ && trouble().empty() ? kLastWords : 0);
  while (!records_.wait_until_none(0) && now_ns() < end) turn();
  while (beat_under_way_ && now_ns() < end) turn();
  beat(true);
  while (beat_under_way_ && now_ns() < end) turn();
  give_up(false);
}

void Writer::turn() {
  bool in_trouble = false;
  {
    const std::lock_guard lock(mutex_);
    in_trouble = !trouble_.empty();
  }
  if (!stopping()) beat(false);
  const bool soon = in_trouble || (alone_ && !alone_->idle());
  if (Event event = producer_->poll(std::min(time_left(), soon ? kTurnSoon : kTurn))) handle(std::move(event), false);
  if (alone_) {
    while (Event event = alone_->poll(0)) handle(std::move(event), true);
  }
  report_refused();
  if (const auto error = append_error_.exchange(RD_KAFKA_RESP_ERR_NO_ERROR); error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    not_stored(error);
  }
  if (producer_->partitions_changed() || (alone_ && alone_->partitions_changed())) {
    log_warning("number of partitions of the topic has changed; looking at it again",
                {{"topic", options_.kafka.topic}});
    close_gate();
  }
  if (in_trouble && now_ns() >= next_probe_ns_) probe();
}

// Passes on the held records that are due. Returns how long the thread may wait for the next event.
int64_t Writer::time_left() {
  const int64_t now = now_ns();
  gathering_.look(now);
  const int64_t due = gathering_.due_ns();
  // What is due and still held did not fit into the client's queue.
  const int64_t held = due == INT64_MAX ? kTurn : (due <= now ? kTurnSoon : due - now);
  const int64_t beat = beats_ && !beat_under_way_ ? next_beat_ns_ - now : kTurn;
  return std::clamp<int64_t>(std::min(held, beat), 0, kTurn);
}

void Writer::handle(Event event, bool from_alone) {
  switch (rd_kafka_event_type(event.get())) {
    case RD_KAFKA_EVENT_DR:
      settle(std::move(event), from_alone);
      break;
    case RD_KAFKA_EVENT_ERROR:
      on_error(event.get());
      break;
    default:
      break;
  }
}

void Writer::settle(Event event, bool from_alone) {
  Reports reports;
  bool stored = false;
  records_.with_lock([&](const auto& look_up, const auto& release) {
    while (const rd_kafka_message_t* message = rd_kafka_event_message_next(event.get())) {
      const auto number = reinterpret_cast<uintptr_t>(message->_private);
      if (number == 0) {
        beat_under_way_ = false;  // a heartbeat, whatever its outcome
        continue;
      }
      stored = stored || message->err == RD_KAFKA_RESP_ERR_NO_ERROR;
      const OpenRecord record = look_up(number);
      auto delivery = outcome(*message, record, from_alone);
      if (!delivery) continue;
      release(number);
      reports[record.listener].push_back(std::move(*delivery));
    }
  });
  if (stored) {
    note_identity();
    clear_trouble(Cause::kRecords);
    rebuild_pause_ns_ = 0;
  }
  event.reset();  // frees room in the queue first, because a listener may append at once
  report(reports);
}

// A broker that has stored a record has also reported its cluster.
void Writer::note_identity() {
  const std::lock_guard lock(mutex_);
  if (identity_.empty()) identity_ = log_identity(producer_->handle(), options_.kafka.topic, 0);
}

std::string Writer::identity() const {
  const std::lock_guard lock(mutex_);
  return identity_;
}

// Returns nothing if the outcome is not known yet.
std::optional<Delivery> Writer::outcome(const rd_kafka_message_t& message, const OpenRecord& record, bool from_alone) {
  Delivery delivery{.token = record.token, .outcome = classify(message.err), .reason = {}};
  if (delivery.outcome == Outcome::kStored) return delivery;
  if (message.err == RD_KAFKA_RESP_ERR__FATAL) return std::nullopt;  // on_reset() reports this once for all records
  delivery.reason =
      delivery.outcome == Outcome::kRejected ? rejection_reason(message.err) : rd_kafka_err2str(message.err);
  if (delivery.outcome == Outcome::kRejected && !from_alone) {
    // The whole batch was rejected, although only one record may be at fault, perhaps not this one.
    const auto error = send_alone(message);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return std::nullopt;
    if (classify(error) != Outcome::kRejected) delivery.outcome = Outcome::kRetry;
    return delivery;
  }
  if (delivery.outcome == Outcome::kRetry) not_stored(message.err);
  return delivery;
}

void Writer::not_stored(rd_kafka_resp_err_t error) {
  set_trouble(Cause::kRecords, fmt::format("Kafka at {} does not store records in topic {}: {}", options_.kafka.brokers,
                                           options_.kafka.topic, rd_kafka_err2str(error)));
  if (is_about_topic(error)) prepared_ = false;
}

rd_kafka_resp_err_t Writer::send_alone(const rd_kafka_message_t& message) {
  if (!alone_) {
    auto made = Producer::create(options_, true);
    if (!made) return RD_KAFKA_RESP_ERR__FAIL;
    alone_ = std::move(*made);
  }
  if (!alone_topic_open_ && !alone_->open_topic(options_.kafka.topic, partitions_)) return RD_KAFKA_RESP_ERR__FAIL;
  alone_topic_open_ = true;
  return alone_->produce_again(message, message._private);
}

void Writer::report(Reports& reports) {
  for (const auto& [listener, deliveries] : reports) {
    listener->on_delivered(deliveries);
    records_.closed(deliveries.size());
  }
}

void Writer::report_refused() {
  std::vector<std::pair<DeliveryListener*, Delivery>> refused;
  {
    const std::lock_guard lock(mutex_);
    refused.swap(refused_);
  }
  Reports reports;
  for (auto& [listener, delivery] : refused) reports[listener].push_back(std::move(delivery));
  report(reports);
}

void Writer::on_error(rd_kafka_event_t* event) {
  const auto error = rd_kafka_event_error(event);
  const char* const text = rd_kafka_event_error_string(event);
  if (error == RD_KAFKA_RESP_ERR__FATAL || rd_kafka_event_error_is_fatal(event) != 0) {
    fatal_ = true;
    fatal_text_ = text;
    return;
  }
  connectivity_.note(error, text);
  // A single lost connection is normal.
  if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || error == RD_KAFKA_RESP_ERR__AUTHENTICATION) {
    set_trouble(Cause::kConnection, connectivity_.describe(text));
  }
}

// When nothing is written, only a request shows whether the connection works again.
void Writer::probe() {
  next_probe_ns_ = now_ns() + kProbeEvery;
  {
    const std::lock_guard lock(mutex_);
    if (!trouble_.contains(Cause::kConnection)) return;
  }
  if (!partition_count(producer_->handle(), options_.kafka.topic, kProbeTimeout)) return;
  connectivity_.clear();
  clear_trouble(Cause::kConnection);
}

// Replaces a producer that cannot continue. Its records are given up; agents send them again.
void Writer::rebuild() {
  log_warning("replacing the Kafka producer; agents send unconfirmed batches again", {{"reason", fatal_text_}});
  // Stays set until a record is stored, because the new producer may fail in the same way.
  set_trouble(Cause::kRecords, fmt::format("Kafka at {}: {}", options_.kafka.brokers, fatal_text_));
  close_gate();
  give_up(true);
  pause(rebuild_pause_ns_);
  rebuild_pause_ns_ = kTryAgain;
  auto producer = Producer::create(options_, false);
  if (!producer) {  // it could be created before, so this is a lack of memory or threads
    set_trouble(Cause::kTopic, producer.error().message());
    pause(kTryAgain);
    return;
  }
  const std::unique_lock gate(gate_);
  producer_ = std::move(*producer);
  alone_.reset();
  beats_ = beat_under_way_ = false;
  fatal_ = false;
  const std::lock_guard lock(mutex_);
  identity_.clear();
}

void Writer::beat(bool ended) {
  if (!beats_ || beat_under_way_ || (!ended && now_ns() < next_beat_ns_)) return;
  next_beat_ns_ = now_ns() + Heartbeat::kEvery;
  ++heartbeat_.count;
  const nlohmann::ordered_json value = {
      {"program", heartbeat_.program}, {"host", heartbeat_.host}, {"count", heartbeat_.count}, {"ended", ended}};
  const std::string text = value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  beat_under_way_ = producer_->produce_beside(heartbeat_.writer, text) == RD_KAFKA_RESP_ERR_NO_ERROR;
}

// Empties the producers. Records that Kafka has confirmed nevertheless are reported as stored.
void Writer::give_up(bool tell_reset) {
  close_gate();
  Reports reports;
  const int64_t end = now_ns() + kPurgeTimeout;
  for (Producer* const producer : {producer_.get(), alone_.get()}) {
    if (producer == nullptr) continue;
    producer->purge();
    while (!producer->idle() && now_ns() < end) {
      const Event event = producer->poll(kTurnSoon);
      if (!event || rd_kafka_event_type(event.get()) != RD_KAFKA_EVENT_DR) continue;
      records_.with_lock([&](const auto& look_up, const auto& release) {
        while (const rd_kafka_message_t* message = rd_kafka_event_message_next(event.get())) {
          const bool stored = message->err == RD_KAFKA_RESP_ERR_NO_ERROR;
          const auto number = reinterpret_cast<uintptr_t>(message->_private);
          if ((!stored && tell_reset) || number == 0) continue;
          const OpenRecord record = look_up(number);
          release(number);
          reports[record.listener].push_back({record.token, stored ? Outcome::kStored : Outcome::kRetry,
                                              stored ? "" : "the log's writer was stopped"});
        }
      });
    }
  }
  report(reports);
  report_refused();
  gathering_.clear();
  for (DeliveryListener* const listener : records_.clear()) listener->on_reset();
}

void Writer::close_gate() {
  {
    const std::unique_lock gate(gate_);
    prepared_ = open_ = false;
  }
  gathering_.pass_on();  // the client holds them as long as it takes
}

void Writer::pause(int64_t ns) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, std::chrono::nanoseconds(ns), [this] { return stopping(); });
}

void Writer::set_trouble(Cause cause, std::string text) {
  {
    const std::lock_guard lock(mutex_);
    std::string& current = trouble_[cause];
    if (current == text) return;
    current = text;
  }
  log_error("Kafka does not accept records; agents keep theirs", {{"reason", std::move(text)}});
}

void Writer::clear_trouble(Cause cause) {
  {
    const std::lock_guard lock(mutex_);
    if (trouble_.erase(cause) == 0 || !trouble_.empty()) return;
  }
  log_info("Kafka accepts records", {{"brokers", options_.kafka.brokers}, {"topic", options_.kafka.topic}});
}

}  // namespace monitor::metriclog::kafka

namespace monitor::metriclog {

Result<std::unique_ptr<LogWriter>> open_kafka_writer(const KafkaWriterOptions& options) {
  auto producer = kafka::Producer::create(options, false);
  if (!producer) return producer.error();
  return std::unique_ptr<LogWriter>(new kafka::Writer(options, std::move(*producer)));
}

}  // namespace monitor::metriclog
