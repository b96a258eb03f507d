// KafkaSender: writes a record for each alert of a notification to a Kafka topic. The key is the alert's fingerprint,
// so that the states of one alert stay in order and a compacted topic keeps the last one; `eventId` in the value
// identifies the event, for readers that must not see it twice.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>

#include "metriclog/log.h"
#include "notify/senders.h"

namespace monitor::notify {

class KafkaSender final : public Sender, private metriclog::DeliveryListener {
 public:
  KafkaSender(const Integration& integration, const SenderOptions& options);
  ~KafkaSender() override;
  KafkaSender(const KafkaSender&) = delete;
  KafkaSender& operator=(const KafkaSender&) = delete;

  Outcome send(const Notification& notification, const std::atomic<bool>& stop) override;

 private:
  void on_delivered(std::span<const metriclog::Delivery> deliveries) override;
  void on_reset() override;
  Status open();

  const Integration integration_;
  const std::string brokers_;
  const std::vector<std::pair<std::string, std::string>> properties_;
  std::mutex mutex_;  // guards the next four
  std::condition_variable changed_;
  std::map<uint64_t, metriclog::Delivery> outcomes_;  // of the current attempt, by token
  uint64_t first_token_ = 0;                          // of the current attempt
  uint64_t next_token_ = 1;
  bool reset_ = false;
  std::unique_ptr<metriclog::LogWriter> writer_;  // last: its thread uses the rest
};

}  // namespace monitor::notify
