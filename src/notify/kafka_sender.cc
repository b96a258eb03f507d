#include "notify/kafka_sender.h"

#include <fmt/format.h>

#include <array>
#include <chrono>

#include "metriclog/kafka/kafka_log.h"
#include "notify/message_text.h"

namespace monitor::notify {

using metriclog::Delivery;

KafkaSender::KafkaSender(const Integration& integration, const SenderOptions& options)
    : integration_(integration),
      brokers_(integration.brokers.empty() ? options.brokers : integration.brokers),
      properties_(integration.brokers.empty() ? options.kafka_properties : integration.properties) {}

KafkaSender::~KafkaSender() { writer_.reset(); }

Status KafkaSender::open() {
  if (writer_) return {};
  metriclog::KafkaWriterOptions options;
  options.kafka.brokers = brokers_;
  options.kafka.topic = integration_.topic;
  options.kafka.properties.assign(properties_.begin(), properties_.end());
  options.partitions = 1;
  options.with_snapshots = false;
  options.with_heartbeats = false;
  constexpr int64_t kKeepDays = 7;
  options.retention_ns = kKeepDays * 24 * 3600 * kNanosPerSecond;
  options.message_timeout_ns = integration_.timeout_ms * kNanosPerMilli;
  auto writer = metriclog::open_kafka_writer(options);
  if (!writer) return writer.error();
  writer_ = std::move(*writer);
  return {};
}

void KafkaSender::on_delivered(std::span<const Delivery> deliveries) {
  {
    const std::lock_guard lock(mutex_);
    for (const Delivery& one : deliveries) {
      // Those of an earlier attempt, whose time was over, are of no interest.
      if (one.token >= first_token_) outcomes_[one.token] = one;
    }
  }
  changed_.notify_all();
}

void KafkaSender::on_reset() {
  {
    const std::lock_guard lock(mutex_);
    reset_ = true;
  }
  changed_.notify_all();
}

Outcome KafkaSender::send(const Notification& notification, const std::atomic<bool>& stop) {
  if (Status opened = open(); !opened) return {Outcome::Kind::kRetry, short_answer(opened.error().message())};
  uint64_t first = 0;
  {
    const std::lock_guard lock(mutex_);
    outcomes_.clear();
    reset_ = false;
    first = first_token_ = next_token_;
    next_token_ += notification.alerts.size();
  }
  for (size_t i = 0; i < notification.alerts.size(); ++i) {
    const std::string key = fingerprint_text(fingerprint(notification.alerts[i].labels));
    const std::string value = record_json(notification, notification.alerts[i]);
    const std::array<std::pair<std::string_view, std::string_view>, 2> headers = {
        {{"content-type", "application/json"}, {"notification-id", notification.id}}};
    const metriclog::RecordView record{key, headers, value};
    if (writer_->append(record, *this, first + i) == metriclog::LogWriter::Accepted::kFull) {
      return {Outcome::Kind::kRetry, "Kafka's queue is full: " + short_answer(writer_->trouble())};
    }
  }
  std::unique_lock lock(mutex_);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(integration_.timeout_ms);
  const auto complete = [&] { return reset_ || outcomes_.size() == notification.alerts.size(); };
  while (!complete() && !stop && std::chrono::steady_clock::now() < deadline) {
    constexpr auto kLook = std::chrono::milliseconds(50);
    changed_.wait_for(lock, kLook);
  }
  for (const auto& [token, one] : outcomes_) {
    if (one.outcome == metriclog::Outcome::kRejected) return {Outcome::Kind::kRefused, short_answer(one.reason)};
    if (one.outcome == metriclog::Outcome::kRetry) return {Outcome::Kind::kRetry, short_answer(one.reason)};
  }
  if (outcomes_.size() == notification.alerts.size()) {
    return {Outcome::Kind::kSent, fmt::format("stored {} records in {}", outcomes_.size(), integration_.topic)};
  }
  const std::string why = writer_->trouble();
  return {Outcome::Kind::kRetry, short_answer(why.empty() ? "Kafka did not confirm the records in time" : why)};
}

}  // namespace monitor::notify
