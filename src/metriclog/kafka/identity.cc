#include "metriclog/kafka/identity.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/clock.h"
#include "base/crc32c.h"
#include "base/protowire.h"

namespace monitor::metriclog::kafka {

namespace {

constexpr uint32_t kOffset = 1;
constexpr uint32_t kTime = 2;
constexpr uint32_t kBytes = 3;
constexpr uint32_t kCheck = 4;
constexpr uint32_t kLogEnd = 5;
constexpr size_t kLooked = 512;  // bytes of a value that are checked; they include agent, incarnation and sequence
constexpr int64_t kLook = 100 * kNanosPerMilli;

int64_t now_ns() { return SystemClock().mono_ns(); }

std::string_view bytes_of(const void* data, size_t size) {
  return data == nullptr ? std::string_view() : std::string_view(static_cast<const char*>(data), size);
}

}  // namespace

Anchor anchor_of(const rd_kafka_message_t& message) {
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  Anchor anchor;
  anchor.offset = message.offset;
  anchor.time_ms = std::max<int64_t>(rd_kafka_message_timestamp(&message, &type), 0);
  anchor.bytes = message.len;
  anchor.check =
      crc32c(bytes_of(message.payload, std::min(message.len, kLooked)), crc32c(bytes_of(message.key, message.key_len)));
  return anchor;
}

std::string encode_anchor(const Anchor& anchor) {
  std::string out;
  if (!anchor.valid()) return out;
  protowire::put_uint64(out, kOffset, static_cast<uint64_t>(anchor.offset) + 1);
  protowire::put_uint64(out, kTime, static_cast<uint64_t>(anchor.time_ms));
  protowire::put_uint64(out, kBytes, anchor.bytes);
  protowire::put_uint64(out, kCheck, anchor.check);
  protowire::put_uint64(out, kLogEnd, static_cast<uint64_t>(anchor.log_end));
  return out;
}

std::optional<Anchor> decode_anchor(std::string_view bytes) {
  Anchor anchor;
  protowire::Reader reader(bytes);
  while (const auto field = reader.next()) {
    if (field->number == kOffset) anchor.offset = static_cast<int64_t>(field->value) - 1;
    if (field->number == kTime) anchor.time_ms = static_cast<int64_t>(field->value);
    if (field->number == kBytes) anchor.bytes = field->value;
    if (field->number == kCheck) anchor.check = static_cast<uint32_t>(field->value);
    if (field->number == kLogEnd) anchor.log_end = static_cast<int64_t>(field->value);
  }
  if (reader.failed() || !anchor.valid() || anchor.time_ms < 0 || anchor.log_end < 0) return std::nullopt;
  return anchor;
}

Status RecordProbe::connect() {
  if (handle_) return {};
  auto config = make_config(kafka_, {{"group.id", "monitor-without-group"},
                                     {"enable.auto.commit", "false"},
                                     {"enable.auto.offset.store", "false"},
                                     {"enable.partition.eof", "true"},
                                     {"auto.offset.reset", "error"},
                                     {"fetch.wait.max.ms", "10"},
                                     {"fetch.message.max.bytes", "1024"},  // a broker returns at least one whole batch
                                     {"queued.max.messages.kbytes", "1024"}});
  if (!config) return config.error();
  auto handle = make_handle(RD_KAFKA_CONSUMER, std::move(*config));
  if (!handle) return handle.error();
  handle_ = std::move(*handle);
  rd_kafka_poll_set_consumer(handle_.get());
  return {};
}

Result<std::map<int32_t, Anchor>> RecordProbe::at(const std::map<int32_t, int64_t>& offsets, int64_t timeout_ns) {
  std::map<int32_t, Anchor> found;
  if (offsets.empty()) return found;
  if (auto status = connect(); !status) return status.error();
  const PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(offsets.size())));
  std::set<int32_t> awaited;
  for (const auto& [partition, offset] : offsets) {
    rd_kafka_topic_partition_list_add(list.get(), kafka_.topic.c_str(), partition)->offset = offset;
    awaited.insert(partition);
  }
  if (const auto error = rd_kafka_assign(handle_.get(), list.get()); error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return to_error(error, "topic " + kafka_.topic);
  }
  const int64_t end = now_ns() + timeout_ns;
  while (!awaited.empty() && now_ns() < end) {
    const Message message(rd_kafka_consumer_poll(handle_.get(), to_millis(kLook)));
    if (!message || !awaited.contains(message->partition)) continue;
    switch (message->err) {
      case RD_KAFKA_RESP_ERR_NO_ERROR:
        if (message->offset == offsets.at(message->partition)) found[message->partition] = anchor_of(*message);
        [[fallthrough]];
      case RD_KAFKA_RESP_ERR__PARTITION_EOF:
      case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
      case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
        awaited.erase(message->partition);
        break;
      default:
        break;
    }
  }
  rd_kafka_assign(handle_.get(), nullptr);
  if (awaited.empty()) return found;
  return Error(Code::kUnavailable, fmt::format("topic {} could not be identified in time", kafka_.topic));
}

}  // namespace monitor::metriclog::kafka
