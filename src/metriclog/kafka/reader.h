// Reader: reads the log from Kafka, either all partitions by itself, or as a member of a group that shares them.
//
// Assignments and revocations take effect in the next poll(), so that the caller can still store its results for the
// records that it has received. Not thread-safe, except wake() (metriclog/log.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/disk.h"
#include "metriclog/kafka/client.h"
#include "metriclog/kafka/identity.h"
#include "metriclog/kafka/snapshots.h"
#include "metriclog/log.h"

namespace monitor::metriclog::kafka {

class Reader final : public LogReader {
 public:
  static Result<std::unique_ptr<LogReader>> open(const KafkaOptions& kafka, const ReaderOptions& options);
  // Leaves the group.
  ~Reader() override;

  Result<std::vector<ReaderEvent>> poll(int64_t timeout_ns) override;
  void reuse(std::vector<ReaderEvent>&& events) override;
  Status store(std::span<const Snapshot> snapshots) override;
  void wake() override;
  std::string identity() const override { return log_name_; }

 private:
  static constexpr int64_t kBrokerTimeout = 10 * kNanosPerSecond;

  using Events = std::vector<ReaderEvent>;
  // Partition -> next offset to read.
  using Positions = std::map<int32_t, int64_t>;
  using StoredSnapshots = std::map<int32_t, StoredSnapshot>;
  struct Bounds {
    int64_t low = 0;
    int64_t high = 0;
  };

  // Where reading of an assigned partition starts, and the record that identifies the partition.
  struct Start {
    Bounds bounds;
    int64_t next = 0;
    Anchor anchor;
  };
  using Starts = std::map<int32_t, Start>;

  Reader(KafkaOptions kafka, ReaderOptions options);
  static void on_rebalance(rd_kafka_t* handle, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t* partitions,
                           void* self);
  bool is_unchanged(int32_t partition, const StoredSnapshots& stored) const;
  static void on_error(rd_kafka_t* handle, int error, const char* text, void* self);

  Status advance(Events& events, int64_t end_ns);
  Status find_topic();
  Result<int> find_state_topic();
  Status begin();
  Status look_for_growth();
  Status settle_rebalance(Events& events);
  Status take_over(const std::set<int32_t>& partitions, Events& events);
  Result<StoredSnapshots> stored_positions(const std::set<int32_t>& partitions) const;
  Result<Starts> starts_of(const std::set<int32_t>& partitions, const StoredSnapshots& stored, StartAt::Kind kind,
                           Positions& chosen) const;
  Positions positions_from(Starts& starts, StoredSnapshots& stored, ReaderEvent& assigned, Events& lost) const;
  void hand_back(const std::set<int32_t>& partitions, Events& events);
  void give_up_lost(Events& events);
  Status note(const Positions& starts);
  Status assign(const Positions& positions);
  Status drain(Events& events, int64_t end_ns);
  Status take_error(const rd_kafka_message_t& message, Events& events);
  void look_whether_it_is_there(Events& events);
  void look_later();
  Status ask_leaders(int64_t within_ns) const;
  void keep_fetching();
  Status go_on_after_loss(int32_t partition, Events& events);
  Result<StoredSnapshots> load_positions(const std::set<int32_t>& partitions) const;
  Result<int64_t> start_of(int32_t partition, const Bounds& bounds, StartAt::Kind kind) const;
  Result<Bounds> bounds_of(int32_t partition, int64_t timeout_ns) const;
  Status fetch_from(const Positions::value_type& position);
  ReaderEvent replaced(int32_t partition, const Bounds& bounds, int64_t next) const;
  Status identify(Starts& starts, Events& events);
  int64_t known_end(int32_t partition) const;
  void note_anchor(const rd_kafka_message_t& message);
  Status look_at_identity(Events& events);
  Status begin_anew(int32_t partition, const Bounds& bounds, Events& events);
  void commit(const std::map<int32_t, StoredSnapshot>& positions);
  static void into_bounds(int32_t partition, const Bounds& bounds, int64_t& next, Events& lost);
  void trouble(const std::string& text, Events& events);
  // Reports, once, that the last trouble() is over.
  void end_trouble(Events& events);
  void wait(int64_t ns);
  bool may_close();

  const KafkaOptions kafka_;
  const ReaderOptions options_;
  const std::string author_;  // identifies the snapshots of this reader
  Connectivity connectivity_;
  Snapshots snapshots_;
  RecordProbe probe_;
  Fd wake_;  // eventfd, written by librdkafka and wake()
  std::atomic<bool> woken_ = false;

  SharedHandle handle_;
  Queue queue_;

  bool found_ = false;    // the topic was found
  std::string log_name_;  // identity(), and the log's name for options_.snapshots
  bool waited_for_topic_ = false;
  bool begun_ = false;  // it has subscribed or started reading
  bool assigned_once_ = false;
  bool assigned_by_group_ = false;  // the group has assigned partitions, possibly none
  bool closing_ = false;
  int partitions_ = 0;        // of the topic
  int state_partitions_ = 0;  // of the state topic; 0: unknown
  int64_t next_growth_look_ns_ = 0;
  int64_t next_look_ns_ = 0;  // next probe of the partition leaders
  int unanswered_ = 0;        // consecutive probes without an answer
  bool away_reported_ = false;
  bool failed_ = false;  // the last advance() failed
  Positions positions_;  // of partitions that are read
  // Positions at the time when the group expelled this reader, because Kafka was away. If nobody else has stored a
  // position when it rejoins, reading continues as if nothing had happened.
  Positions lost_;
  // Anchors of the partitions: those verified last, which are stored, and the newest ones.
  std::map<int32_t, Anchor> verified_;
  std::map<int32_t, Anchor> latest_;
  std::set<int32_t> noted_in_poll_;
  int64_t next_identity_look_ns_ = 0;
  std::vector<Record> spare_;  // without content; for the next records
  size_t queued_ = 0;          // peak number of librdkafka's prefetched messages since the last wake-up
  std::set<int32_t> to_take_over_;
  std::set<int32_t> to_hand_back_;
  bool rebalanced_ = false;      // a rebalance must be handled
  bool assign_awaited_ = false;  // librdkafka waits for the answer to an assignment, which may be empty
  std::string trouble_;          // as reported last
  std::optional<Error> final_;
};

}  // namespace monitor::metriclog::kafka
