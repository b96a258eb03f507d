#include "metriclog/kafka/message.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/clock.h"

namespace monitor::metriclog::kafka {

namespace {

Headers::Pairs headers_of(const rd_kafka_message_t& message) {
  Headers::Pairs headers;
  rd_kafka_headers_t* list = nullptr;
  if (rd_kafka_message_headers(&message, &list) != RD_KAFKA_RESP_ERR_NO_ERROR) return headers;
  headers.reserve(rd_kafka_header_cnt(list));
  const char* name = nullptr;
  const void* value = nullptr;
  size_t bytes = 0;
  for (size_t i = 0; rd_kafka_header_get_all(list, i, &name, &value, &bytes) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
    headers.emplace_back(name, std::string(static_cast<const char*>(value), bytes));
  }
  return headers;
}

class MessageHeaders final : public Headers::Source {
 public:
  MessageHeaders(Message message, SharedHandle client) : client_(std::move(client)), message_(std::move(message)) {}
  Headers::Pairs read() const override { return headers_of(*message_); }

 private:
  SharedHandle client_;  // outlives its messages
  Message message_;
};

}  // namespace

void fill(Record& record, Message owned, SharedHandle client) {
  const rd_kafka_message_t& message = *owned;
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  record.partition = message.partition;
  record.offset = message.offset;
  record.time_ns = std::max<int64_t>(rd_kafka_message_timestamp(&message, &type), 0) * kNanosPerMilli;
  record.key.assign(static_cast<const char*>(message.key), message.key_len);
  record.value.assign(static_cast<const char*>(message.payload), message.len);
  record.headers = Headers(std::make_shared<MessageHeaders>(std::move(owned), std::move(client)));
}

Record record_of(Message message, SharedHandle client) {
  Record record;
  fill(record, std::move(message), std::move(client));
  return record;
}

}  // namespace monitor::metriclog::kafka
