// The metric log: an ordered, durable record of what agents sent. The server writes it, and analysis programs read it.
// Kafka and SQLite implement it for production, memory for tests. All implementations pass
// metriclog/testing/log_contract.h.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace monitor::metriclog {

// Headers of a record. They are parsed when first requested, because most readers never need them. Not thread-safe,
// like the record that they belong to; copies share the unparsed source.
class Headers {
 public:
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  class Source {
   public:
    virtual ~Source() = default;
    virtual Pairs read() const = 0;
  };

  Headers() = default;
  explicit Headers(std::shared_ptr<const Source> source) : source_(std::move(source)) {}

  // In the order of the record.
  const Pairs& all() const;
  Pairs::const_iterator begin() const { return all().begin(); }
  Pairs::const_iterator end() const { return all().end(); }
  void emplace_back(std::string name, std::string value);

 private:
  mutable std::shared_ptr<const Source> source_;  // nullptr: already parsed
  mutable Pairs pairs_;
};

// A record to append. The views must stay valid until append() returns.
struct RecordView {
  std::string_view key;  // the agent's id; records with the same key stay in order
  std::span<const std::pair<std::string_view, std::string_view>> headers;
  std::string_view value;
};

// The outcome of an appended record. Only kStored allows an acknowledgement.
enum class Outcome {
  kStored,    // durable and visible to readers
  kRejected,  // this record is invalid (too large, malformed); resending cannot help
  kRetry,     // not stored, or unknown (timeout, no permission, disk full); resend later
};

struct Delivery {
  uint64_t token = 0;  // as passed to append()
  Outcome outcome = Outcome::kRetry;
  // For people; empty if stored. For kRejected it starts with the ledger's reason: "too_large: " or "invalid: ".
  std::string reason = {};
};

// Receives outcomes on the writer's own thread, several at a time and in no particular order. Implementations should
// pass them to their loop and return. Must outlive every append that named it.
class DeliveryListener {
 public:
  virtual ~DeliveryListener() = default;
  virtual void on_delivered(std::span<const Delivery> deliveries) = 0;
  // Records that were appended before this call, and not reported yet, will never be reported: send them again. Happens
  // when a producer is replaced.
  virtual void on_reset() = 0;
};

// Thread-safe: all server loops share one writer.
class LogWriter {
 public:
  virtual ~LogWriter() = default;

  enum class Accepted { kYes, kFull };
  // Queues a record; never blocks. kFull is back-pressure: the record was not accepted; try again after the next
  // deliveries. Each accepted record is reported to `listener` exactly once, unless on_reset() comes first.
  virtual Accepted append(const RecordView& record, DeliveryListener& listener, uint64_t token) = 0;

  // Waits until all accepted records are reported, at most `timeout_ns`. Returns false if some are still pending.
  virtual bool flush(int64_t timeout_ns) = 0;

  // Identifies this log for all readers: "sqlite:" and the random id of the file, or "kafka:CLUSTER/TOPIC". A topic
  // that is deleted and created again keeps its identity; a file does not. Empty while unknown. During a delivery, it
  // is the identity of the log that holds the delivered records.
  virtual std::string identity() const { return {}; }

  // Why the log accepts no records, for /readyz and messages; empty if it does.
  virtual std::string trouble() const = 0;

  // Returns an error if the log cannot recover by itself (a damaged file). The program must then end with it.
  virtual Status failure() const = 0;
};

struct Record {
  int32_t partition = 0;
  int64_t offset = 0;
  int64_t time_ns = 0;  // when the log stored it (wall clock of the log)
  std::string key = {};
  Headers headers = {};
  std::string value = {};

  // The first header with that name; empty if there is none.
  std::string_view header(std::string_view name) const;
};

// A reader's position in a partition, together with the state that it has built from the records before that position.
// The log does not interpret `state`. Both are written and read atomically, so they always match.
struct Snapshot {
  int32_t partition = 0;
  int64_t next_offset = 0;  // the first record not included in `state`; negative: no snapshot, see StartAt
  std::string state = {};
  // Identifies the log of this position, to detect another log under the same name. The reader sets it when it stores a
  // snapshot; a SnapshotStore must preserve it.
  std::string identity = {};
};

// The extent of a partition when it is assigned, and where reading starts.
struct Extent {
  int64_t begin = 0;  // oldest record that retention has not deleted
  int64_t next = 0;   // first record for this reader
  int64_t end = 0;    // after the newest record
  bool cut = false;   // retention has deleted records before `begin`
};

// Events of a reader, in order.
struct ReaderEvent {
  enum class Kind {
    kAssigned,  // partitions with their snapshots; records follow from those positions on. If a group's position was
                // stored before any state, its snapshot has an empty state.
    kRevoked,   // another member holds these partitions now: drop the state built on them
    kRecords,
    kLost,  // retention deleted [from, to) of a partition before it was read
    // The log was deleted and recreated after it was read up to `from`. Reading continues at `to`, the start of the new
    // log, with the existing state. At least `lost` records of the old log were never read. `extents` describes the new
    // log.
    kReplaced,
    kTrouble,    // the log is unreachable or unreadable at the moment; `text` says why, and the reader keeps trying
    kRecovered,  // the log is readable again, even if nothing has arrived; kAssigned and kRecords imply this as well
  };
  Kind kind = Kind::kRecords;
  std::vector<Snapshot> assigned = {};
  std::vector<Extent> extents = {};  // parallel to `assigned`
  std::vector<int32_t> revoked = {};
  std::vector<Record> records = {};
  int32_t partition = 0;
  int64_t from = 0;
  int64_t to = 0;
  int64_t lost = 0;
  std::string text = {};
};

// Where reading starts.
struct StartAt {
  // A log that is created after its reader has started is read from its start, even with kLatest.
  enum class Kind { kStored, kEarliest, kLatest, kTime };
  Kind kind = Kind::kStored;  // kStored: the group's snapshot or committed offset; without one, latest
  int64_t time_ns = 0;        // kTime: the first record that the log stored at or after this
};

// SnapshotStore: stores the snapshots of a reader that has its own database, so that state and position are written in
// one transaction. `log` identifies the log; a recreated log at the same address has another identity. Called on the
// reader's thread.
class SnapshotStore {
 public:
  virtual ~SnapshotStore() = default;
  // Returns the existing snapshots.
  virtual Result<std::vector<Snapshot>> load(const std::string& log) = 0;
  virtual Status store(const std::string& log, std::span<const Snapshot> snapshots) = 0;
};

struct ReaderOptions {
  std::string group = {};  // empty: no group; reads all partitions and stores no position
  // Without a group: where to store snapshots; must outlive the reader. A partition without a snapshot counts as new.
  SnapshotStore* snapshots = nullptr;
  StartAt start = {};  // anything but kStored replaces the stored position for this run
  // Where a new group with kStored starts: at the start of the log instead of its end.
  bool new_group_at_earliest = false;
};

// Not thread-safe, except wake(), which may be called on any thread and in signal handlers.
class LogReader {
 public:
  virtual ~LogReader() = default;

  // Waits at most `timeout_ns`; returns an empty vector if nothing arrived. An error is final (a damaged log, a
  // rejected login); transient errors are reported as kTrouble.
  virtual Result<std::vector<ReaderEvent>> poll(int64_t timeout_ns) = 0;

  // Takes back what poll() returned, when nobody uses it any more: the next poll() may reuse its memory. Optional.
  virtual void reuse(std::vector<ReaderEvent>&& /*events*/) {}

  // Stores snapshots of partitions that this reader holds. Skips other partitions without an error.
  virtual Status store(std::span<const Snapshot> snapshots) = 0;

  // LogWriter::identity() of the log being read; empty before partitions are assigned.
  virtual std::string identity() const { return {}; }

  // Makes a waiting poll() return.
  virtual void wake() = 0;
};

}  // namespace monitor::metriclog
