// The metric log: an ordered, durable record of what agents sent, written by the server and read by analysis.
// Kafka and SQLite implement it for real use, memory for tests; all pass metriclog/testing/log_contract.h.
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

// Headers of a record. They are parsed when first requested, since most readers never need them. Single-threaded, like
// the record that they belong to; copies share what is not parsed yet.
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

  // In the record's order.
  const Pairs& all() const;
  Pairs::const_iterator begin() const { return all().begin(); }
  Pairs::const_iterator end() const { return all().end(); }
  void emplace_back(std::string name, std::string value);

 private:
  mutable std::shared_ptr<const Source> source_;  // null: already parsed
  mutable Pairs pairs_;
};

// A record to append. The views must stay valid until append() returns.
struct RecordView {
  std::string_view key;  // the agent's id; records with the same key stay in order
  std::span<const std::pair<std::string_view, std::string_view>> headers;
  std::string_view value;
};

// The outcome of an appended record. Only kStored permits an acknowledgement.
enum class Outcome {
  kStored,    // durable and visible to readers
  kRejected,  // this record is invalid (too large, malformed); resending cannot help
  kRetry,     // not stored, or unknown (timeout, no permission, disk full); resend later
};

struct Delivery {
  uint64_t token = 0;  // as given to append()
  Outcome outcome = Outcome::kRetry;
  // For people; empty when stored. For kRejected it begins with the ledger's word: "too_large: " or "invalid: ".
  std::string reason = {};
};

// Receives outcomes on the writer's own thread, several at a time and in no particular order. Implementations pass them
// to their loop and return. Must outlive every append that named it.
class DeliveryListener {
 public:
  virtual ~DeliveryListener() = default;
  virtual void on_delivered(std::span<const Delivery> deliveries) = 0;
  // Records appended before this call and not reported yet never will be; resend them (a producer was rebuilt).
  virtual void on_reset() = 0;
};

// Thread-safe: all server loops share one writer.
class LogWriter {
 public:
  virtual ~LogWriter() = default;

  enum class Accepted { kYes, kFull };
  // Queues a record; never blocks. kFull is back-pressure: the record was not accepted; retry after the next
  // deliveries. Each accepted record is reported to `listener` exactly once, unless on_reset() comes first.
  virtual Accepted append(const RecordView& record, DeliveryListener& listener, uint64_t token) = 0;

  // Waits until all accepted records are reported, at most `timeout_ns`. Returns false if some are still pending.
  virtual bool flush(int64_t timeout_ns) = 0;

  // Identifies this log wherever it is read: "sqlite:" and the random id of the file, or "kafka:CLUSTER/TOPIC". A topic
  // that is deleted and created again keeps its identity, a file does not. Empty while unknown. During a delivery it is
  // the identity of the log that has the records.
  virtual std::string identity() const { return {}; }

  // For /readyz and messages: why the log accepts no records; empty if it does.
  virtual std::string trouble() const = 0;

  // An error if the log cannot recover on its own (a damaged file); the program must end with it.
  virtual Status failure() const = 0;
};

struct Record {
  int32_t partition = 0;
  int64_t offset = 0;
  int64_t time_ns = 0;  // when the log took it (wall clock of the log)
  std::string key = {};
  Headers headers = {};
  std::string value = {};

  // The first header of that name; empty if missing.
  std::string_view header(std::string_view name) const;
};

// A reader's position in a partition, together with the state it has built from the records before it (`state` is
// opaque here). Both are written and read atomically, so they never disagree.
struct Snapshot {
  int32_t partition = 0;
  int64_t next_offset = 0;  // the first record not in `state`; negative: no snapshot, see StartAt
  std::string state = {};
  // Identifies the log of this position, to detect another log under the same name. Set by the reader when it stores a
  // snapshot; a SnapshotStore must keep it.
  std::string identity = {};
};

// The extent of a partition at the time of its assignment, and where reading starts.
struct Extent {
  int64_t begin = 0;  // oldest record that retention has kept
  int64_t next = 0;   // first record for this reader
  int64_t end = 0;    // behind the last record
  bool cut = false;   // retention has deleted records before `begin`
};

// Events of a reader, in order.
struct ReaderEvent {
  enum class Kind {
    kAssigned,  // partitions with their snapshots; records follow from there on. A group's position without a
                // state (noted before anything was stored) is a snapshot with an empty state.
    kRevoked,   // these partitions are another member's now: forget what was built on them
    kRecords,
    kLost,  // retention deleted [from, to) of a partition before it was read
    // The log was deleted and recreated after it was read up to `from`. Reading continues at `to`, the start of the new
    // log, with the existing state. At least `lost` records of the old log were never read. `extents` has those of the
    // new log.
    kReplaced,
    kTrouble,    // the log cannot be reached or read at the moment: `text` says why; reading goes on by itself
    kRecovered,  // after kTrouble: it can be again, though nothing may have come; kAssigned and kRecords say so, too
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
  // A log that appears after its reader started is read from its beginning, even with kLatest.
  enum class Kind { kStored, kEarliest, kLatest, kTime };
  Kind kind = Kind::kStored;  // kStored: the group's snapshot or committed offset; without one, latest
  int64_t time_ns = 0;        // kTime: the first record that the log took at or after this
};

// SnapshotStore: keeps the snapshots of a reader that builds its own store, so that state and position are written in
// one transaction. `log` identifies the log; a recreated log under the same address has another name. Called on the
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
  // Without a group: the store for snapshots; must outlive the reader. A partition without a snapshot counts as new.
  SnapshotStore* snapshots = nullptr;
  StartAt start = {};  // anything but kStored overrides the stored position for this run
  // Start of a new group with kStored: at the beginning instead of the end.
  bool new_group_at_earliest = false;
};

// Not thread-safe, except wake(), which may be called from any thread and from signal handlers.
class LogReader {
 public:
  virtual ~LogReader() = default;

  // Waits at most `timeout_ns`; returns an empty vector if nothing arrived. An error is final (a damaged log, a
  // rejected login); transient ones are reported as kTrouble.
  virtual Result<std::vector<ReaderEvent>> poll(int64_t timeout_ns) = 0;

  // Stores snapshots of partitions that this reader holds. Snapshots of others are skipped without an error.
  virtual Status store(std::span<const Snapshot> snapshots) = 0;

  // LogWriter::identity() of the log that is read; empty before partitions are assigned.
  virtual std::string identity() const { return {}; }

  // Makes a waiting poll() return.
  virtual void wake() = 0;
};

}  // namespace monitor::metriclog
