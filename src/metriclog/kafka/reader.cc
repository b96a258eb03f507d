#include "metriclog/kafka/reader.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <new>
#include <tuple>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "metriclog/kafka/message.h"
#include "metriclog/kafka/topics.h"

namespace monitor::metriclog::kafka {

namespace {

// Few enough that they stay in the processor's cache until they are handled, and many enough that what a poll costs
// does not matter.
constexpr size_t kMaxRecordsPerPoll = 256;
constexpr size_t kMostSpareBytes = size_t{16} << 10;  // of one record
constexpr size_t kMaxBytesPerPoll = size_t{4} << 20;
constexpr int64_t kLookForTopic = 100 * kNanosPerMilli;
constexpr int64_t kAsk = 1 * kNanosPerSecond;  // for one attempt to get an answer from a broker
constexpr int64_t kAskForState = 10 * kNanosPerSecond;
constexpr int64_t kTryAgain = 200 * kNanosPerMilli;
constexpr int64_t kLookForGrowth = 30 * kNanosPerSecond;
constexpr int64_t kLongestWait = 1 * kNanosPerSecond;
constexpr const char* kNoGroup = "monitor-without-group";  // librdkafka requires a name, but nothing is stored under it

int64_t now_ns() { return SystemClock().mono_ns(); }

std::string new_author() {
  std::array<char, 12> bytes{};
  SystemRandom().fill(bytes.data(), bytes.size());
  return {bytes.data(), bytes.size()};
}

}  // namespace

Reader::Reader(KafkaOptions kafka, ReaderOptions options)
    : kafka_(std::move(kafka)),
      options_(std::move(options)),
      author_(new_author()),
      connectivity_(kafka_.brokers),
      snapshots_(kafka_, options_.group, author_),
      probe_(kafka_),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Result<std::unique_ptr<LogReader>> Reader::open(const KafkaOptions& kafka, const ReaderOptions& options) {
  std::unique_ptr<Reader> reader(new Reader(kafka, options));
  if (!reader->wake_.valid()) return errno_error(errno, "eventfd");
  auto config = make_config(kafka, {{"group.id", options.group.empty() ? kNoGroup : options.group},
                                    {"partition.assignment.strategy", "cooperative-sticky"},
                                    {"enable.auto.commit", "false"},
                                    {"enable.auto.offset.store", "false"},
                                    {"auto.offset.reset", "error"},
                                    // A dead member holds its partitions for this long. A shorter time would make a
                                    // restart of Kafka (about 10 s) disturb the group.
                                    {"session.timeout.ms", "20000"},
                                    {"heartbeat.interval.ms", "1000"},
                                    // Also how long a forming group waits for a member that does not respond. A broker
                                    // may lose track of a dead member's session timeout (docs/kafka.md); then this
                                    // timeout ends it.
                                    {"max.poll.interval.ms", "60000"},
                                    {"topic.metadata.refresh.interval.ms", "30000"}});
  if (!config) return config.error();
  // Available from 2.2 on. A consumer whose queue is full checks it again after this time; the default is 1 s.
  rd_kafka_conf_set(config->get(), "fetch.queue.backoff.ms", "10", nullptr, 0);
  rd_kafka_conf_set_opaque(config->get(), reader.get());
  rd_kafka_conf_set_rebalance_cb(config->get(), &Reader::on_rebalance);
  rd_kafka_conf_set_error_cb(config->get(), &Reader::on_error);
  auto handle = make_handle(RD_KAFKA_CONSUMER, std::move(*config));
  if (!handle) return handle.error();
  reader->handle_ = std::move(*handle);
  rd_kafka_poll_set_consumer(reader->handle_.get());
  reader->queue_.reset(rd_kafka_queue_get_consumer(reader->handle_.get()));
  constexpr uint64_t kOne = 1;
  rd_kafka_queue_io_event_enable(reader->queue_.get(), reader->wake_.get(), &kOne, sizeof kOne);
  return std::unique_ptr<LogReader>(std::move(reader));
}

// librdkafka 2.0.2 aborts the process if a consumer is closed after it has joined a group and before its first
// assignment (its issue 4312), even if the group has expelled it in the meantime. A missing member id therefore does
// not show whether it had joined. So this waits for the assignment. If it does not come, the handle is leaked until the
// end of the process, and this returns false.
bool Reader::may_close() {
  if (assigned_by_group_ || options_.group.empty() || !begun_) return true;
  const std::unique_ptr<char, decltype(&std::free)> joined(rd_kafka_memberid(handle_.get()), &std::free);
  if (!joined || *joined == '\0')
    return false;  // no assignment will come, and no other member waits for its partitions
  constexpr int64_t kWait = 3 * kNanosPerSecond;
  constexpr int kPollMs = 100;
  const int64_t end = now_ns() + kWait;
  while (!assigned_by_group_ && now_ns() < end) const Message ignored(rd_kafka_consumer_poll(handle_.get(), kPollMs));
  if (!assigned_by_group_) {
    log_warning("the group has not answered; its reader is left open", {{"group", options_.group}});
  }
  return assigned_by_group_;
}

Reader::~Reader() {
  if (!handle_) return;
  if (!may_close()) {
    rd_kafka_queue_io_event_enable(queue_.get(), -1, nullptr, 0);
    std::ignore = queue_.release();
    // NOLINTBEGIN(clang-analyzer-cplusplus.NewDeleteLeaks): on purpose
    std::ignore = new (std::nothrow) SharedHandle(handle_);
    return;
    // NOLINTEND(clang-analyzer-cplusplus.NewDeleteLeaks)
  }
  closing_ = true;
  // librdkafka would not close while it waits for the answer to an assignment.
  if (assign_awaited_ && !options_.group.empty()) {
    const PartitionList none(rd_kafka_topic_partition_list_new(0));
    rd_kafka_incremental_assign(handle_.get(), none.get());
  }
  Events ignored;
  hand_back(to_hand_back_, ignored);
  rd_kafka_queue_io_event_enable(queue_.get(), -1, nullptr, 0);
  rd_kafka_consumer_close(handle_.get());
}

void Reader::wake() {
  woken_ = true;
  constexpr uint64_t kOne = 1;
  [[maybe_unused]] const ssize_t written =
      write(wake_.get(), &kOne, sizeof kOne);  // if the eventfd is full, it is readable anyway
}

void Reader::wait(int64_t ns) {
  pollfd descriptor{.fd = wake_.get(), .events = POLLIN, .revents = 0};
  if (::poll(&descriptor, 1, to_millis(ns)) > 0) {
    uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = read(wake_.get(), &count, sizeof count);
  }
}

// Also called on our own thread.
void Reader::on_error(rd_kafka_t* handle, int error, const char* text, void* self) {
  Reader& reader = *static_cast<Reader*>(self);
  const auto code = static_cast<rd_kafka_resp_err_t>(error);
  reader.connectivity_.note(code, text);
  if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) reader.next_look_ns_ = 0;
  if (code == RD_KAFKA_RESP_ERR__FATAL)
    reader.final_ = to_error(rd_kafka_fatal_error(handle, nullptr, 0), "Kafka", text);
}

Result<std::vector<ReaderEvent>> Reader::poll(int64_t timeout_ns) {
  const int64_t end = now_ns() + std::max<int64_t>(timeout_ns, 0);
  Events events;
  while (true) {
    const Status status = advance(events, end);
    if (final_ && events.empty()) return *final_;
    if (!status) {
      const Code code = status.error().code();
      const bool is_final = code == Code::kFailedPrecondition || code == Code::kUnauthenticated;
      if (is_final) final_ = status.error();
      // Events before a final error are returned first; the next call meets the error again.
      if (is_final && events.empty()) return *final_;
      if (!is_final) trouble(status.error().message(), events);
      failed_ = true;
    } else if (failed_ && !away_reported_) {
      end_trouble(events);  // a call that failed before has succeeded
    }
    const int64_t left = end - now_ns();
    if (!events.empty() || left <= 0 || woken_.exchange(false)) return events;
    wait(std::min({left, status ? kLongestWait : kTryAgain, begun_ ? kLongestWait : kLookForTopic}));
  }
}

Status Reader::advance(Events& events, int64_t end_ns) {
  if (final_) return *final_;
  if (!found_) {
    if (auto status = find_topic(); !status) return status;
  }
  if (!begun_) {
    if (auto status = begin(); !status) return status;
  }
  if (auto status = settle_rebalance(events); !status) return status;
  if (auto status = drain(events, end_ns); !status) return status;
  // Records were polled together with an assignment: the assignment must be returned first, before the caller waits.
  if (rebalanced_ && events.empty()) {
    if (auto status = settle_rebalance(events); !status) return status;
  }
  const bool was_away = away_reported_;
  look_whether_it_is_there(events);
  // The topic may have been recreated while Kafka was away.
  if (was_away && !away_reported_) next_identity_look_ns_ = 0;
  if (auto status = look_at_identity(events); !status) return status;
  return look_for_growth();
}

Status Reader::find_topic() {
  // Calls on_error(), which knows more than the timeout says.
  const Message none(rd_kafka_consumer_poll(handle_.get(), 0));
  const auto partitions = partition_count(handle_.get(), kafka_.topic, kAsk);
  if (connectivity_.login_refused()) return Error(Code::kUnauthenticated, connectivity_.describe("login refused"));
  if (!partitions && partitions.error().code() == Code::kNotFound) {
    waited_for_topic_ = true;
    return Error(Code::kNotFound, fmt::format("topic {} does not exist at {} yet; it will be read from its start",
                                              kafka_.topic, kafka_.brokers));
  }
  if (!partitions) {
    const Message served(rd_kafka_consumer_poll(handle_.get(), 0));
    if (partitions.error().code() != Code::kUnavailable) return partitions.error();
    return Error(Code::kUnavailable, connectivity_.describe(partitions.error().message()));
  }
  partitions_ = *partitions;
  if (!options_.group.empty()) {
    const auto state_partitions = find_state_topic();
    if (!state_partitions) return state_partitions.error();
    state_partitions_ = *state_partitions;
    if (state_partitions_ < partitions_) return grown_error(kafka_.topic, partitions_, state_partitions_);
  }
  log_name_ = log_identity(handle_.get(), kafka_.topic, kAsk);
  if (log_name_.empty() && options_.snapshots != nullptr) {
    return Error(Code::kUnavailable, connectivity_.describe("the cluster did not report its id"));
  }
  found_ = true;
  connectivity_.clear();
  return {};
}

// Creates the topic if it is missing. A new topic becomes visible a moment later.
Result<int> Reader::find_state_topic() {
  const std::string state = state_topic_name(kafka_.topic);
  auto partitions = partition_count(handle_.get(), state, kAsk);
  if (partitions || partitions.error().code() != Code::kNotFound) return partitions;
  const Status made =
      create_topic(handle_.get(), state_topic(kafka_.topic, partitions_, -1), kAskForState, [this] { return !woken_; });
  if (!made && made.error().code() != Code::kAlreadyExists) return made.error();
  const int64_t end = now_ns() + kAskForState;
  while (now_ns() < end && !woken_) {
    partitions = partition_count(handle_.get(), state, kAsk);
    if (partitions) break;
    wait(kLookForTopic / 10);
  }
  return partitions;
}

Status Reader::begin() {
  if (options_.group.empty()) {
    for (int32_t partition = 0; partition < partitions_; ++partition) to_take_over_.insert(partition);
    rebalanced_ = assign_awaited_ = true;
  } else {
    const PartitionList topics(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(topics.get(), kafka_.topic.c_str(), RD_KAFKA_PARTITION_UA);
    const auto error = rd_kafka_subscribe(handle_.get(), topics.get());
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return to_error(error, "topic " + kafka_.topic);
  }
  begun_ = true;
  next_growth_look_ns_ = now_ns() + kLookForGrowth;
  look_later();
  return {};
}

// A group learns about new partitions through its assignment; without a group, the reader must check.
Status Reader::look_for_growth() {
  if (!options_.group.empty() || now_ns() < next_growth_look_ns_) return {};
  next_growth_look_ns_ = now_ns() + kLookForGrowth;
  const auto partitions = partition_count(handle_.get(), kafka_.topic, kAsk);
  if (partitions && *partitions > partitions_) return grown_error(kafka_.topic, *partitions, partitions_);
  return {};
}

Status Reader::drain(Events& events, int64_t end_ns) {
  std::vector<Record> records = std::exchange(spare_, {});
  size_t filled = 0;
  size_t bytes = 0;
  noted_in_poll_.clear();
  const auto hand_out = [&] {
    if (filled == 0) return;
    records.resize(std::exchange(filled, 0));
    events.push_back({.kind = ReaderEvent::Kind::kRecords, .records = std::exchange(records, {})});
  };
  Status status;
  while (filled < kMaxRecordsPerPoll && bytes < kMaxBytesPerPoll && !rebalanced_ && status) {
    Message message(rd_kafka_consumer_poll(handle_.get(), 0));
    if (!message) break;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      hand_out();
      status = take_error(*message, events);
      continue;
    }
    const auto position = positions_.find(message->partition);
    if (position == positions_.end()) continue;  // the partition was handed back in the meantime
    position->second = message->offset + 1;
    note_anchor(*message);
    bytes += message->len;
    if (filled == records.size()) records.emplace_back();
    fill(records[filled++], std::move(message), handle_);
    if (filled % 64 == 0 && now_ns() > end_ns + kLongestWait) break;
  }
  hand_out();
  if (!records.empty()) spare_ = std::move(records);
  keep_fetching();
  if (!events.empty() && events.back().kind == ReaderEvent::Kind::kRecords) trouble_.clear();
  return status;
}

void Reader::reuse(std::vector<ReaderEvent>&& events) {
  for (ReaderEvent& event : events) {
    if (event.records.size() <= spare_.size()) continue;
    spare_ = std::move(event.records);
  }
  for (Record& record : spare_) {
    record.headers = {};  // frees the message
    if (record.value.capacity() > kMostSpareBytes) record.value = {};
  }
}

Status Reader::take_error(const rd_kafka_message_t& message, Events& events) {
  switch (message.err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
      return {};
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
      return go_on_after_loss(message.partition, events);
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
      return Error(Code::kUnauthenticated, connectivity_.describe(rd_kafka_message_errstr(&message)));
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__RESOLVE:
      connectivity_.note(message.err, rd_kafka_message_errstr(&message));
      away_reported_ = true;
      return Error(Code::kUnavailable, connectivity_.describe(""));
    default:
      next_identity_look_ns_ = 0;  // the topic may have been deleted
      trouble(to_error(message.err, "topic " + kafka_.topic, rd_kafka_message_errstr(&message)).message(), events);
      return {};
  }
}

Status Reader::store(std::span<const Snapshot> snapshots) {
  std::vector<Snapshot> held;
  for (const Snapshot& snapshot : snapshots) {
    if (!positions_.contains(snapshot.partition)) continue;
    held.push_back(snapshot);
    const auto known = verified_.find(snapshot.partition);
    if (known != verified_.end()) held.back().identity = encode_anchor(known->second);
  }
  if (options_.snapshots != nullptr) return options_.snapshots->store(log_name_, held);
  if (options_.group.empty() || held.empty()) return {};
  const auto stored = snapshots_.store(held, kAskForState);
  if (!stored) return stored.error();
  std::map<int32_t, StoredSnapshot> positions;
  for (Snapshot& snapshot : held) {
    const int32_t partition = snapshot.partition;
    positions[partition] = {std::move(snapshot), stored->at(partition), author_};
  }
  // The commit lets tools show a group's lag, and lets the next reader find the snapshot without a search.
  commit(positions);
  return {};
}

void Reader::trouble(const std::string& text, Events& events) {
  if (std::exchange(trouble_, text) == text) return;
  events.push_back({.kind = ReaderEvent::Kind::kTrouble, .text = text});
}

}  // namespace monitor::metriclog::kafka

namespace monitor::metriclog {

Result<std::unique_ptr<LogReader>> open_kafka_reader(const KafkaOptions& kafka, const ReaderOptions& options) {
  return kafka::Reader::open(kafka, options);
}

}  // namespace monitor::metriclog
