#include "metriclog/kafka/snapshots.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/clock.h"
#include "base/protowire.h"
#include "metriclog/kafka/topics.h"

namespace monitor::metriclog::kafka {

namespace {

constexpr uint32_t kNextOffset = 1;
constexpr uint32_t kState = 2;
constexpr uint32_t kAuthor = 3;
constexpr uint32_t kIdentity = 4;
constexpr int64_t kLook = 100 * kNanosPerMilli;

int64_t now_ns() { return SystemClock().mono_ns(); }

}  // namespace

std::string encode_snapshot(const Snapshot& snapshot, std::string_view author) {
  std::string out;
  protowire::put_uint64(out, kNextOffset, static_cast<uint64_t>(snapshot.next_offset));
  protowire::put_bytes(out, kState, snapshot.state);
  protowire::put_bytes(out, kAuthor, author);
  if (!snapshot.identity.empty()) protowire::put_bytes(out, kIdentity, snapshot.identity);
  return out;
}

Result<StoredSnapshot> decode_snapshot(int32_t partition, std::string_view bytes) {
  StoredSnapshot stored{.snapshot = {.partition = partition, .next_offset = 0, .state = {}}};
  Snapshot& snapshot = stored.snapshot;
  protowire::Reader reader(bytes);
  while (const auto field = reader.next()) {
    if (field->number == kNextOffset) snapshot.next_offset = static_cast<int64_t>(field->value);
    if (field->number == kState) snapshot.state = field->bytes;
    if (field->number == kAuthor) stored.author = field->bytes;
    if (field->number == kIdentity) snapshot.identity = field->bytes;
  }
  if (reader.failed() || snapshot.next_offset < 0) {
    return Error(Code::kDataLoss, fmt::format("snapshot of partition {} is malformed", partition));
  }
  return stored;
}

Snapshots::Snapshots(KafkaOptions kafka, std::string group, std::string author)
    : kafka_(std::move(kafka)),
      group_(std::move(group)),
      author_(std::move(author)),
      topic_(state_topic_name(kafka_.topic)) {}

Snapshots::~Snapshots() = default;

std::string Snapshots::key(int32_t partition) const { return fmt::format("{}/{}", group_, partition); }

Result<std::map<int32_t, StoredSnapshot>> Snapshots::load(const Hints& hints, int64_t timeout_ns) const {
  auto config = make_config(kafka_, {{"group.id", group_},
                                     {"enable.auto.commit", "false"},
                                     {"enable.auto.offset.store", "false"},
                                     {"enable.partition.eof", "true"},
                                     {"auto.offset.reset", "earliest"},
                                     {"fetch.wait.max.ms", "10"}});
  if (!config) return config.error();
  auto consumer = make_handle(RD_KAFKA_CONSUMER, std::move(*config));
  if (!consumer) return consumer.error();
  rd_kafka_t* const handle = consumer->get();
  rd_kafka_poll_set_consumer(handle);
  const PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(hints.size())));
  std::set<int32_t> reading;
  for (const auto& [partition, offset] : hints) {
    rd_kafka_topic_partition_list_add(list.get(), topic_.c_str(), partition)->offset = offset;
    reading.insert(partition);
  }
  if (const auto error = rd_kafka_assign(handle, list.get()); error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return to_error(error, "topic " + topic_);
  }
  std::map<int32_t, StoredSnapshot> newest;
  const int64_t end = now_ns() + timeout_ns;
  while (!reading.empty()) {
    if (now_ns() >= end) return Error(Code::kUnavailable, fmt::format("topic {} cannot be read in time", topic_));
    const Message message(rd_kafka_consumer_poll(handle, to_millis(kLook)));
    if (!message) continue;
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      reading.erase(message->partition);
    } else if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      const std::string_view read_key(static_cast<const char*>(message->key), message->key_len);
      if (read_key != key(message->partition)) continue;
      auto snapshot = decode_snapshot(message->partition, {static_cast<const char*>(message->payload), message->len});
      if (!snapshot) continue;
      snapshot->at = message->offset;
      newest[message->partition] = std::move(*snapshot);
    }
  }
  return newest;
}

Status Snapshots::make_producer(int64_t timeout_ns) {
  auto config = make_config(kafka_, {{"acks", "all"},
                                     // Of two snapshots of a partition, the newer one must be stored last.
                                     {"max.in.flight", "1"},
                                     {"linger.ms", "0"},
                                     {"message.max.bytes", "16000000"},
                                     {"compression.codec", "zstd"},
                                     {"message.timeout.ms", std::to_string(std::max(to_millis(timeout_ns), 1))}});
  if (!config) return config.error();
  rd_kafka_conf_set_events(config->get(), RD_KAFKA_EVENT_DR);
  auto made = make_handle(RD_KAFKA_PRODUCER, std::move(*config));
  if (!made) return made.error();
  producer_ = std::move(*made);
  confirmations_.reset(rd_kafka_queue_get_main(producer_.get()));
  return {};
}

Status Snapshots::produce(const Snapshot& snapshot, void* call) {
  const std::string name = key(snapshot.partition);
  const std::string value = encode_snapshot(snapshot, author_);
  const auto error = rd_kafka_producev(
      producer_.get(), RD_KAFKA_V_TOPIC(topic_.c_str()), RD_KAFKA_V_PARTITION(snapshot.partition),
      RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(name.data(), name.size()),
      RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()), RD_KAFKA_V_OPAQUE(call), RD_KAFKA_V_END);
  return error == RD_KAFKA_RESP_ERR_NO_ERROR ? Status() : to_error(error, "topic " + topic_);
}

Result<Hints> Snapshots::store(std::span<const Snapshot> snapshots, int64_t timeout_ns) {
  if (!producer_) {
    if (auto made = make_producer(timeout_ns); !made) return made.error();
  }
  // A confirmation that arrives after its call has timed out must not count for the next call.
  void* const call = reinterpret_cast<void*>(++calls_);  // NOLINT(performance-no-int-to-ptr): a number, not an address
  size_t open = 0;
  Hints stored;
  std::optional<Error> failed;
  for (const Snapshot& snapshot : snapshots) {
    if (const auto sent = produce(snapshot, call); sent) {
      ++open;
    } else {
      failed = sent.error();
    }
  }
  const int64_t end = now_ns() + timeout_ns + kNanosPerSecond;
  while (open > 0 && now_ns() < end) {
    const Event event(rd_kafka_queue_poll(confirmations_.get(), to_millis(kLook)));
    if (!event || rd_kafka_event_type(event.get()) != RD_KAFKA_EVENT_DR) continue;
    while (const rd_kafka_message_t* message = rd_kafka_event_message_next(event.get())) {
      if (message->_private != call) continue;
      --open;
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        stored[message->partition] = message->offset;
      } else {
        failed = to_error(message->err, "topic " + topic_);
      }
    }
  }
  if (failed) return *failed;
  if (open > 0) return Error(Code::kUnavailable, fmt::format("topic {} does not confirm", topic_));
  return stored;
}

}  // namespace monitor::metriclog::kafka
