// The metric log: an ordered, durable record of what agents sent, written by the server and read by analysis.
// Kafka and SQLite implement it for real use, memory for tests; metriclog/contract_test.h is what all of them pass.
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

// The headers of a record. They are read from where the record lies when they are first asked for, since most readers
// never do. One thread at a time, as for the record that they belong to; copies share what is still to be read.
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
  mutable std::shared_ptr<const Source> source_;  // null: they are read
  mutable Pairs pairs_;
};

// What is appended. The views must live until append() returns.
struct RecordView {
  std::string_view key;  // the agent's id: records of one key stay in order
  std::span<const std::pair<std::string_view, std::string_view>> headers;
  std::string_view value;
};

// What became of an appended record. Only kStored allows an acknowledgement.
enum class Outcome {
  kStored,    // durable, and will be seen by readers
  kRejected,  // this record alone was refused (too large, invalid): sending it again cannot help
  kRetry,     // not stored, or not known to be (time-out, no permission, disk full): send it again later
};

struct Delivery {
  uint64_t token = 0;  // as given to append()
  Outcome outcome = Outcome::kRetry;
  // For people; empty when stored. For kRejected it begins with the ledger's word: "too_large: " or "invalid: ".
  std::string reason = {};
};

// Told what became of records. Called on the writer's own thread, in no promised order, several at a time;
// an implementation hands them to its loop and returns. Must outlive every append that named it.
class DeliveryListener {
 public:
  virtual ~DeliveryListener() = default;
  virtual void on_delivered(std::span<const Delivery> deliveries) = 0;
  // Records appended before this call and not yet reported never will be: send them again (a producer was rebuilt).
  virtual void on_reset() = 0;
};

// Thread-safe: every server loop appends to the one writer.
class LogWriter {
 public:
  virtual ~LogWriter() = default;

  enum class Accepted { kYes, kFull };
  // Queues a record; never blocks. kFull is back-pressure: nothing was taken, try again after the next deliveries.
  // Each accepted record is reported exactly once to `listener`, unless on_reset() came first.
  virtual Accepted append(const RecordView& record, DeliveryListener& listener, uint64_t token) = 0;

  // Waits until everything accepted was reported, for at most `timeout_ns`. False: something is still open.
  virtual bool flush(int64_t timeout_ns) = 0;

  // For /readyz and the operator: empty when the log takes records, else why it does not.
  virtual std::string trouble() const = 0;

  // Not OK when the trouble cannot pass by itself (a damaged file): the program ends with this error.
  virtual Status failure() const = 0;
};

struct Record {
  int32_t partition = 0;
  int64_t offset = 0;
  int64_t time_ns = 0;  // when the log took it (wall clock of the log)
  std::string key = {};
  Headers headers = {};
  std::string value = {};

  // The first header of that name; empty if there is none.
  std::string_view header(std::string_view name) const;
};

// How far a reader has come in a partition, together with whatever it built from the records before that
// (`state` is the reader's own). Written and read as one piece, so the two never disagree.
struct Snapshot {
  int32_t partition = 0;
  int64_t next_offset = 0;  // the first record that is not in `state`; negative: no snapshot, see StartAt
  std::string state = {};
  // What tells the log of this position from another one under the same name. The reader's own: it is set when a
  // snapshot is stored, and a SnapshotStore keeps it.
  std::string identity = {};
};

// Of an assigned partition, at that moment: what the log holds, and where reading begins.
struct Extent {
  int64_t begin = 0;  // the first record that retention has left
  int64_t next = 0;   // the first that this reader will be given
  int64_t end = 0;    // behind the last record
  bool cut = false;   // there were records before `begin`
};

// What a reader is told, in order, by poll().
struct ReaderEvent {
  enum class Kind {
    kAssigned,  // partitions with their snapshots; records follow from there on. A group's position without a
                // state (noted before anything was stored) is a snapshot with an empty state.
    kRevoked,   // these partitions are another member's now: forget what was built on them
    kRecords,
    kLost,  // retention took [from, to) of a partition before it was read
    // The log under this name is another one than the one that was read up to `from`: it was deleted and made anew.
    // Reading goes on at `to`, the new one's beginning, with what was built before. `lost` records of the old one are
    // known to have been there and not read; there may have been more. `extents` has the new one's.
    kReplaced,
    kTrouble,    // the log cannot be reached or read at the moment: `text` says why; reading goes on by itself
    kRecovered,  // after kTrouble: it can be again, though nothing may have come; kAssigned and kRecords say so, too
  };
  Kind kind = Kind::kRecords;
  std::vector<Snapshot> assigned = {};
  std::vector<Extent> extents = {};  // one for each of `assigned`
  std::vector<int32_t> revoked = {};
  std::vector<Record> records = {};
  int32_t partition = 0;
  int64_t from = 0;
  int64_t to = 0;
  int64_t lost = 0;
  std::string text = {};
};

// Where reading begins.
struct StartAt {
  // A log that appears only after its reader started is read from its beginning, also by kLatest.
  enum class Kind { kStored, kEarliest, kLatest, kTime };
  Kind kind = Kind::kStored;  // kStored: the group's snapshot or committed offset; without one, latest
  int64_t time_ns = 0;        // kTime: the first record that the log took at or after this
};

// Where a reader that builds a store of its own keeps its snapshots: in that store, so that the two are written as one.
// `log` names the very log: another one under the same address has another name. On the reader's thread.
class SnapshotStore {
 public:
  virtual ~SnapshotStore() = default;
  // Of each partition of which there is one.
  virtual Result<std::vector<Snapshot>> load(const std::string& log) = 0;
  virtual Status store(const std::string& log, std::span<const Snapshot> snapshots) = 0;
};

struct ReaderOptions {
  std::string group = {};  // empty: no group, all partitions, nothing is stored beside the log
  // Without a group: snapshots are kept there; it must outlive the reader. A partition without one counts as new.
  SnapshotStore* snapshots = nullptr;
  StartAt start = {};  // anything but kStored overrides the stored position for this run
  // Where kStored begins when the group has no position yet: at the beginning instead of the end.
  bool new_group_at_earliest = false;
};

// Not thread-safe: one thread a reader. wake() alone may be called from any thread or signal-safe context.
class LogReader {
 public:
  virtual ~LogReader() = default;

  // Waits for at most `timeout_ns`; an empty vector when nothing came. An error is final (a damaged log, a refused
  // login); what may pass is reported as kTrouble.
  virtual Result<std::vector<ReaderEvent>> poll(int64_t timeout_ns) = 0;

  // Stores snapshots of partitions that this reader holds. What it no longer holds is skipped: that is not an error.
  virtual Status store(std::span<const Snapshot> snapshots) = 0;

  // Makes a poll() that waits return.
  virtual void wake() = 0;
};

}  // namespace monitor::metriclog
