// Reader: probes the partition leaders, to detect an unreachable cluster and to keep librdkafka fetching.
#include <utility>

#include "base/clock.h"
#include "metriclog/kafka/reader.h"
#include "metriclog/kafka/topics.h"

namespace monitor::metriclog::kafka {

namespace {

// Time between probes while nothing arrives, and while Kafka is unreachable.
constexpr int64_t kLookWhenQuiet = 5 * kNanosPerSecond;
constexpr int64_t kLookWhenAway = 1 * kNanosPerSecond;
constexpr int64_t kAsk = 500 * kNanosPerMilli;

int64_t now_ns() { return SystemClock().mono_ns(); }

}  // namespace

void Reader::look_later() { next_look_ns_ = now_ns() + kLookWhenQuiet; }

// librdkafka reports broken connections, but neither a broker that hangs nor one that has returned. Therefore the
// reader probes the leaders when nothing arrives. Two probes without an answer count as unreachable, because a broker
// may be busy for a moment.
void Reader::look_whether_it_is_there(Events& events) {
  if (!events.empty() && events.back().kind == ReaderEvent::Kind::kRecords) {
    look_later();
    unanswered_ = 0;
    away_reported_ = false;
    return;
  }
  if (now_ns() < next_look_ns_ || rebalanced_) return;
  const Status there = ask_leaders(kAsk);
  next_look_ns_ = now_ns() + (there ? kLookWhenQuiet : kLookWhenAway);
  if (!there) {
    if (++unanswered_ < 2) return;
    away_reported_ = true;
    trouble(connectivity_.describe(there.error().message()), events);
    return;
  }
  unanswered_ = 0;
  connectivity_.clear();
  if (away_reported_) end_trouble(events);
}

void Reader::end_trouble(Events& events) {
  away_reported_ = failed_ = false;
  if (std::exchange(trouble_, {}).empty()) return;
  events.push_back({.kind = ReaderEvent::Kind::kRecovered});
}

// librdkafka limits prefetching. A fetch thread that reaches the limit waits for a second before it checks again
// (before 2.2, which added fetch.queue.backoff.ms), even if the queue drains sooner. Any request wakes it, so this one
// asks each leader and ignores the answer.
void Reader::keep_fetching() {
  constexpr size_t kWorthAWord = 1000;
  const size_t queued = rd_kafka_queue_length(queue_.get());
  if (queued > queued_) queued_ = queued;
  if (queued_ < kWorthAWord || queued > queued_ / 2) return;
  queued_ = queued;
  (void)ask_leaders(0);
}

// Requests the ends of the partitions; only the fact that an answer arrives matters.
Status Reader::ask_leaders(int64_t within_ns) const {
  if (positions_.empty()) {
    const auto partitions = partition_count(handle_.get(), kafka_.topic, within_ns);
    return partitions ? Status() : partitions.error();
  }
  const PartitionList ask(rd_kafka_topic_partition_list_new(static_cast<int>(positions_.size())));
  for (const auto& [partition, position] : positions_) {
    rd_kafka_topic_partition_list_add(ask.get(), kafka_.topic.c_str(), partition)->offset = RD_KAFKA_OFFSET_END;
  }
  auto error = rd_kafka_offsets_for_times(handle_.get(), ask.get(), to_millis(within_ns));
  for (int i = 0; i < ask->cnt && error == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) error = ask->elems[i].err;
  return error == RD_KAFKA_RESP_ERR_NO_ERROR ? Status() : to_error(error, "topic " + kafka_.topic);
}

}  // namespace monitor::metriclog::kafka
