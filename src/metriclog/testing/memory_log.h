// MemoryLog: a metric log in memory with injected faults, for tests and the simulation.
//
// Thread-safe, without threads of its own. append() stores a record, and reports it at once. While deliveries are held,
// the call that releases them reports it instead. Readers and the writer must not outlive the log.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "metriclog/log.h"

namespace monitor::metriclog {

struct MemoryLogOptions {
  int32_t partitions = 1;
  size_t max_pending_records = 100'000;  // accepted and not yet reported; above this, append() returns kFull
  size_t max_record_bytes = 1 << 20;     // a larger record is rejected
  std::string identity = "memory";
};

class MemoryLog {
 public:
  explicit MemoryLog(const Clock& clock, MemoryLogOptions options = {});
  ~MemoryLog();
  MemoryLog(const MemoryLog&) = delete;
  MemoryLog& operator=(const MemoryLog&) = delete;

  LogWriter& writer();
  // Members of a group share the partitions; a member without a partition stands by.
  std::unique_ptr<LogReader> reader(ReaderOptions options);

  // --- Faults; each applies until it is changed. ---
  void set_full(bool full);
  void set_trouble(const std::string& text);  // appended records get kRetry, and readers are notified; "" ends this
  void refuse_next(size_t count, Outcome outcome, const std::string& reason);
  void hold_deliveries();
  void release_deliveries();                 // delivers what is held, and stops holding
  size_t deliver(size_t count);              // delivers the oldest `count` of the held ones; returns how many
  size_t deliver_reordered(Random& random);  // delivers everything held: stored in order, reported in any order
  size_t lose_deliveries(bool stored);       // drops the reports; listeners get on_reset()
  void take_before(int32_t partition, int64_t offset);  // deletes records like retention

  // --- Inspection. ---
  size_t held() const;
  int64_t end_offset(int32_t partition) const;
  std::vector<Record> records(int32_t partition) const;

 private:
  class Writer;
  class Reader;
  struct Pending {
    Record record = {};
    DeliveryListener* listener = nullptr;
    Delivery delivery = {};
  };
  struct Partition {
    int64_t first = 0;
    std::deque<Record> records;
    int64_t end() const { return first + static_cast<int64_t>(records.size()); }
  };
  struct Group {
    std::map<int32_t, Snapshot> stored;
    std::vector<Reader*> members;  // in the order in which they joined
  };

  LogWriter::Accepted append(const RecordView& view, DeliveryListener& listener, uint64_t token);
  std::vector<Pending> take_held(size_t count);
  void settle(Pending& pending);  // requires mutex_
  static void report(std::vector<Pending>& done);
  int32_t partition_of(std::string_view key) const;
  void rebalance(Group& group);  // requires mutex_

  const Clock& clock_;
  const MemoryLogOptions options_;
  std::unique_ptr<Writer> writer_;

  mutable std::mutex mutex_;  // guards the members below
  std::condition_variable changed_;
  std::vector<Partition> partitions_;
  std::map<std::string, Group> groups_;
  std::deque<Pending> held_;
  bool holding_ = false;
  bool full_ = false;
  std::string trouble_;
  size_t refusals_ = 0;
  Outcome refusal_ = Outcome::kRetry;
  std::string refusal_reason_;
};

}  // namespace monitor::metriclog
